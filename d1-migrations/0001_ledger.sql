-- The ledger: who may spend what, what is in flight, what was used.
-- Money is integer nano-USD; token prices are pico-USD per token (= micro-USD per million tokens). 1,000 pico = 1 nano.
-- Times are milliseconds since 1970-01-01 UTC; days are whole days since then.

CREATE TABLE customers (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  email         TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
  status        TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  budget_nano   INTEGER CHECK (budget_nano BETWEEN 0 AND 9000000000000000), -- NULL: unlimited, said on purpose
  budget_period TEXT NOT NULL DEFAULT 'month' CHECK (budget_period IN ('total', 'day', 'week', 'month')),
  rpm           INTEGER CHECK (rpm BETWEEN 1 AND 1000000),
  tpm           INTEGER CHECK (tpm BETWEEN 1 AND 1000000000),
  concurrency   INTEGER CHECK (concurrency BETWEEN 1 AND 100000),
  created_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  hash          TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),              -- SHA-256 of the key, hex; the key itself is nowhere
  customer_id   INTEGER NOT NULL REFERENCES customers (id),
  prefix        TEXT NOT NULL,                                               -- the first characters, to tell keys apart
  name          TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  models        TEXT CHECK (models IS NULL OR json_valid(models)),           -- JSON array of canonical names; NULL: all
  budget_nano   INTEGER CHECK (budget_nano BETWEEN 0 AND 9000000000000000),  -- NULL: the customer's alone
  budget_period TEXT NOT NULL DEFAULT 'month' CHECK (budget_period IN ('total', 'day', 'week', 'month')),
  rpm           INTEGER CHECK (rpm BETWEEN 1 AND 1000000),
  tpm           INTEGER CHECK (tpm BETWEEN 1 AND 1000000000),
  concurrency   INTEGER CHECK (concurrency BETWEEN 1 AND 100000),
  expires_ms    INTEGER,
  revoked_ms    INTEGER,
  created_ms    INTEGER NOT NULL
) STRICT;

-- Append-only: the price in force is the newest row that has begun. `withdrawn` ends an offer without deleting its history.
CREATE TABLE prices (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  model             TEXT NOT NULL,                                           -- canonical name, or '*' for every local model without a price of its own
  upstream          TEXT NOT NULL DEFAULT 'ollama' CHECK (upstream IN ('ollama', 'openai', 'anthropic')),
  upstream_model    TEXT,                                                    -- its name there; NULL: the same
  request_nano      INTEGER NOT NULL DEFAULT 0 CHECK (request_nano BETWEEN 0 AND 1000000000000),
  model_nano        INTEGER NOT NULL DEFAULT 0 CHECK (model_nano BETWEEN 0 AND 1000000000000),
  input_pico        INTEGER NOT NULL DEFAULT 0 CHECK (input_pico BETWEEN 0 AND 10000000000),
  cached_input_pico INTEGER NOT NULL DEFAULT 0 CHECK (cached_input_pico BETWEEN 0 AND 10000000000),
  output_pico       INTEGER NOT NULL DEFAULT 0 CHECK (output_pico BETWEEN 0 AND 10000000000),
  gpu_second_nano   INTEGER NOT NULL DEFAULT 0 CHECK (gpu_second_nano BETWEEN 0 AND 1000000000000),
  output_default    INTEGER NOT NULL DEFAULT 2048 CHECK (output_default BETWEEN 1 AND output_max),
  output_max        INTEGER NOT NULL DEFAULT 8192 CHECK (output_max BETWEEN 1 AND 1000000),
  withdrawn         INTEGER NOT NULL DEFAULT 0 CHECK (withdrawn IN (0, 1)),
  valid_from_ms     INTEGER NOT NULL,
  created_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX prices_by_model ON prices (model, valid_from_ms, id);

-- In flight: one row from admission until the request has ended. Small by nature, so sums over it are cheap.
CREATE TABLE holds (
  customer_id         INTEGER NOT NULL REFERENCES customers (id),
  id                  TEXT NOT NULL,                                         -- UUIDv7: time-ordered, and the caller's x-request-id
  key_id              INTEGER NOT NULL REFERENCES api_keys (id),
  price_id            INTEGER NOT NULL REFERENCES prices (id),
  model               TEXT NOT NULL,
  dialect             TEXT NOT NULL,
  upstream            TEXT NOT NULL,
  hold_nano           INTEGER NOT NULL CHECK (hold_nano BETWEEN 0 AND 9000000000000000),
  input_bound         INTEGER NOT NULL CHECK (input_bound >= 0),
  output_limit        INTEGER NOT NULL CHECK (output_limit >= 0),                -- of each run
  runs                INTEGER NOT NULL DEFAULT 1 CHECK (runs BETWEEN 1 AND 100), -- how often the host runs the model for it
  checkpoint_nano     INTEGER NOT NULL DEFAULT 0 CHECK (checkpoint_nano >= 0),
  checkpoint_input    INTEGER NOT NULL DEFAULT 0 CHECK (checkpoint_input >= 0),
  checkpoint_output   INTEGER NOT NULL DEFAULT 0 CHECK (checkpoint_output >= 0),
  checkpoint_gpu_ms   INTEGER NOT NULL DEFAULT 0 CHECK (checkpoint_gpu_ms >= 0),
  checkpoint_first_ms INTEGER,
  created_ms          INTEGER NOT NULL,
  expires_ms          INTEGER NOT NULL,                                      -- the lease: renewed while bytes flow, swept when past
  PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

-- Ended: one row a request, for good.
CREATE TABLE usage (
  customer_id   INTEGER NOT NULL REFERENCES customers (id),
  id            TEXT NOT NULL,
  key_id        INTEGER NOT NULL,
  price_id      INTEGER NOT NULL REFERENCES prices (id),
  model         TEXT NOT NULL,
  dialect       TEXT NOT NULL,
  upstream      TEXT NOT NULL,
  outcome       TEXT NOT NULL CHECK (outcome IN ('completed', 'abandoned', 'failed', 'expired')),
  estimated     INTEGER NOT NULL CHECK (estimated IN (0, 1)),                -- 1: some count was estimated, not reported
  hold_nano     INTEGER NOT NULL,
  cost_nano     INTEGER NOT NULL CHECK (cost_nano BETWEEN 0 AND 9000000000000000),
  over_nano     INTEGER NOT NULL CHECK (over_nano >= 0),                     -- what was used past the hold and is not charged
  input_tokens  INTEGER NOT NULL CHECK (input_tokens >= 0),                  -- all of them, cached ones too
  cached_tokens INTEGER NOT NULL CHECK (cached_tokens BETWEEN 0 AND input_tokens),
  output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
  gpu_ms        INTEGER NOT NULL CHECK (gpu_ms >= 0),
  input_bound   INTEGER NOT NULL,
  output_limit  INTEGER NOT NULL,
  first_ms      INTEGER,                                                     -- from admission to the first delivered token; NULL: none was
  created_ms    INTEGER NOT NULL,
  settled_ms    INTEGER NOT NULL,
  PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

-- Money that moves without a request ending: credits, refunds, and the rest of a request that ended after its lease had.
CREATE TABLE adjustments (
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  id          TEXT NOT NULL,                                                 -- 'late:<request id>' can stand once
  key_id      INTEGER,
  usage_id    TEXT,
  amount_nano INTEGER NOT NULL CHECK (amount_nano BETWEEN -9000000000000000 AND 9000000000000000),
  reason      TEXT NOT NULL,
  day         INTEGER NOT NULL,                                              -- the day whose budget it belongs to
  created_ms  INTEGER NOT NULL,
  PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

-- What an owner ('c1': customer 1, 'k7': key 7, if it has a budget) has spent in a period, named by its first day; 0: for ever.
CREATE TABLE spend (
  owner      TEXT NOT NULL,
  period     INTEGER NOT NULL,
  spent_nano INTEGER NOT NULL,
  PRIMARY KEY (owner, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_daily (
  customer_id   INTEGER NOT NULL,
  day           INTEGER NOT NULL,
  model         TEXT NOT NULL,
  key_id        INTEGER NOT NULL,
  outcome       TEXT NOT NULL,
  requests      INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  gpu_ms        INTEGER NOT NULL,
  cost_nano     INTEGER NOT NULL,
  PRIMARY KEY (customer_id, day, model, key_id, outcome)
) STRICT, WITHOUT ROWID;

-- What has been posted stays. Sums are written by the same batch as their rows, not by triggers.
CREATE TRIGGER usage_frozen BEFORE UPDATE ON usage BEGIN SELECT RAISE(ABORT, 'a usage row never changes'); END;
CREATE TRIGGER usage_kept BEFORE DELETE ON usage BEGIN SELECT RAISE(ABORT, 'usage rows are kept'); END;
CREATE TRIGGER adjustments_frozen BEFORE UPDATE ON adjustments BEGIN SELECT RAISE(ABORT, 'an adjustment never changes'); END;
CREATE TRIGGER adjustments_kept BEFORE DELETE ON adjustments BEGIN SELECT RAISE(ABORT, 'adjustments are kept'); END;
CREATE TRIGGER prices_frozen BEFORE UPDATE ON prices BEGIN SELECT RAISE(ABORT, 'a price never changes: append a new one'); END;
CREATE TRIGGER prices_kept BEFORE DELETE ON prices BEGIN SELECT RAISE(ABORT, 'prices are kept'); END;
