-- What is asked for often, found without a look at every row.

-- Whose the money is that Stripe calls so: its refunds name the payment, not the customer.
CREATE INDEX payments_by_reference ON payments (reference) WHERE source = 'stripe';
-- Which alerts are old enough to go.
CREATE INDEX alerts_by_age ON alerts (created_ms);
