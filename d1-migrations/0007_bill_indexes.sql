-- What is asked for often, found without a look at every row.

-- Whose the money is that Stripe calls so: its refunds name the payment, not the customer.
CREATE INDEX payments_by_reference ON payments (reference) WHERE source = 'stripe';
-- What was paid in last, and whose balance is looked at each minute.
CREATE INDEX payments_in ON payments (customer_id, created_ms, id, amount_nano) WHERE amount_nano > 0;
CREATE INDEX customers_prepaid ON customers (prepaid) WHERE prepaid = 1;
-- Which alerts are old enough to go.
CREATE INDEX alerts_by_age ON alerts (created_ms);
