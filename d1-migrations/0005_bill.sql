-- The bill: what is paid in, what is invoiced, what was archived, what the proofs said, who changed what, and who is told of what.

-- A prepaid customer may spend no more than was paid in, whatever budget there is beside that.
ALTER TABLE customers ADD COLUMN prepaid INTEGER NOT NULL DEFAULT 0 CHECK (prepaid IN (0, 1));
ALTER TABLE customers ADD COLUMN address TEXT NOT NULL DEFAULT '' CHECK (length(address) <= 1000); -- lines, for invoices
ALTER TABLE customers ADD COLUMN tax_id TEXT NOT NULL DEFAULT '' CHECK (length(tax_id) <= 100);
-- A key that sees all of its customer's account, rather than what was done with it.
ALTER TABLE api_keys ADD COLUMN account INTEGER NOT NULL DEFAULT 0 CHECK (account IN (0, 1));

-- Money that came in, or went back. It pays for usage; it is no usage, and changes no budget. In `spend` the owner 'p1', period 0, is what
-- customer 1 has used (usage and adjustments) less what they paid: below zero is what is left. Only prepaid customers have that row.
CREATE TABLE payments (
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  id          TEXT NOT NULL UNIQUE,                                       -- 'manual:<uuid>', or 'stripe:<event id>', so that an event counts once
  amount_nano INTEGER NOT NULL CHECK (amount_nano <> 0 AND amount_nano BETWEEN -9000000000000000 AND 9000000000000000), -- below zero: paid back
  source      TEXT NOT NULL CHECK (source IN ('manual', 'stripe')),
  reference   TEXT NOT NULL DEFAULT '',                                   -- what the source calls it
  reason      TEXT NOT NULL DEFAULT '',
  created_ms  INTEGER NOT NULL,
  PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER payments_frozen BEFORE UPDATE ON payments BEGIN SELECT RAISE(ABORT, 'a payment never changes'); END;
CREATE TRIGGER payments_kept BEFORE DELETE ON payments BEGIN SELECT RAISE(ABORT, 'payments are kept'); END;

-- What a customer owes for a month, for good. A correction is a credit note, which is a row of its own.
-- usage + adjustments + carried = net cents (= 10,000,000 nano each) + remainder; the remainder, below a cent, is carried to the next one.
CREATE TABLE invoices (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  year             INTEGER NOT NULL CHECK (year BETWEEN 2000 AND 9999),   -- of issue; numbers are gapless in it: 2026-0001
  seq              INTEGER NOT NULL CHECK (seq >= 1),
  kind             TEXT NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
  customer_id      INTEGER NOT NULL REFERENCES customers (id),
  month            INTEGER NOT NULL,                                      -- its first day, in days since 1970
  corrects         INTEGER REFERENCES invoices (id) CHECK ((corrects IS NULL) = (kind = 'invoice')),
  usage_nano       INTEGER NOT NULL,
  adjustments_nano INTEGER NOT NULL,
  carried_nano     INTEGER NOT NULL,
  net_cents        INTEGER NOT NULL,
  remainder_nano   INTEGER NOT NULL CHECK (remainder_nano BETWEEN 0 AND 9999999),
  tax_bp           INTEGER NOT NULL CHECK (tax_bp BETWEEN 0 AND 10000),   -- hundredths of a percent
  tax_cents        INTEGER NOT NULL,
  total_cents      INTEGER NOT NULL CHECK (total_cents = net_cents + tax_cents),
  document         TEXT NOT NULL CHECK (json_valid(document)),            -- all that is printed, so that it prints the same for ever
  created_ms       INTEGER NOT NULL,
  UNIQUE (year, seq),
  CHECK (usage_nano + adjustments_nano + carried_nano = net_cents * 10000000 + remainder_nano)
) STRICT;
CREATE UNIQUE INDEX invoices_by_month ON invoices (customer_id, month) WHERE kind = 'invoice';
CREATE TRIGGER invoices_frozen BEFORE UPDATE ON invoices BEGIN SELECT RAISE(ABORT, 'an invoice never changes: write a credit note'); END;
CREATE TRIGGER invoices_kept BEFORE DELETE ON invoices BEGIN SELECT RAISE(ABORT, 'invoices are kept'); END;

-- Months whose usage rows were moved to a file; their daily sums stay.
CREATE TABLE archives (
  month      INTEGER PRIMARY KEY,                                         -- its first day, in days since 1970
  next_month INTEGER NOT NULL CHECK (next_month > month),
  requests   INTEGER NOT NULL,
  cost_nano  INTEGER NOT NULL,
  sha256     TEXT NOT NULL CHECK (length(sha256) = 64),                   -- of the file
  file       TEXT NOT NULL,                                               -- its name, without a folder
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER archives_frozen BEFORE UPDATE ON archives BEGIN SELECT RAISE(ABORT, 'an archived month never changes'); END;
CREATE TRIGGER archives_kept BEFORE DELETE ON archives BEGIN SELECT RAISE(ABORT, 'archived months are kept'); END;
DROP TRIGGER usage_kept;
CREATE TRIGGER usage_kept BEFORE DELETE ON usage
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE OLD.created_ms >= month * 86400000 AND OLD.created_ms < next_month * 86400000)
BEGIN SELECT RAISE(ABORT, 'usage rows are kept'); END;

-- What the proofs said, each time they ran.
CREATE TABLE verifications (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  ok         INTEGER NOT NULL CHECK (ok IN (0, 1)),
  findings   INTEGER NOT NULL CHECK (findings >= 0),
  report     TEXT NOT NULL CHECK (json_valid(report)),                    -- what disagreed, cut to what is readable
  took_ms    INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

-- Who changed what.
CREATE TABLE audit_log (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  who        TEXT NOT NULL,
  command    TEXT NOT NULL,
  target     TEXT NOT NULL,                                               -- 'customer 1', 'key 7', 'price gpt-6-sol'
  before     TEXT CHECK (before IS NULL OR json_valid(before)),           -- NULL: there was nothing
  after      TEXT CHECK (after IS NULL OR json_valid(after)),
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is kept'); END;

-- Who is told, and of what; alerts that were sent or are to be, once for each target and subject.
CREATE TABLE alert_targets (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER REFERENCES customers (id),                          -- NULL: the operator's, for everyone
  url         TEXT NOT NULL,
  format      TEXT NOT NULL CHECK (format IN ('json', 'ntfy', 'slack')),
  kinds       TEXT CHECK (kinds IS NULL OR json_valid(kinds)),            -- JSON array; NULL: all
  thresholds  TEXT NOT NULL DEFAULT '[50,80,100]' CHECK (json_valid(thresholds)), -- percent of a budget
  removed_ms  INTEGER,
  created_ms  INTEGER NOT NULL
) STRICT;
CREATE TABLE alerts (
  target_id    INTEGER NOT NULL REFERENCES alert_targets (id),
  id           TEXT NOT NULL,                                             -- what it is about: 'budget:c1:20758:80'
  kind         TEXT NOT NULL,
  payload      TEXT NOT NULL CHECK (json_valid(payload)),
  attempts     INTEGER NOT NULL DEFAULT 0,
  next_ms      INTEGER NOT NULL,                                          -- when it is tried next
  delivered_ms INTEGER,
  gave_up_ms   INTEGER,
  created_ms   INTEGER NOT NULL,
  PRIMARY KEY (target_id, id)
) STRICT, WITHOUT ROWID;

-- The time to the first delivered token, of the requests that had one: their number, the sum, and how many took up to so many milliseconds
-- (each request in one column; what is in none took longer). A percentile is read from these, without the rows.
ALTER TABLE usage_daily ADD COLUMN first_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_ms_sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_50 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_100 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_200 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_400 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_800 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_1600 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_3200 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_6400 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_12800 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_25600 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN first_le_51200 INTEGER NOT NULL DEFAULT 0;
