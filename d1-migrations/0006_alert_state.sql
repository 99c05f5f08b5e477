-- What alerts need beside their own tables, so that a look each minute costs next to nothing.

-- Only requests that used more than was held are in it: an ordinary settlement writes nothing here.
CREATE INDEX usage_over ON usage (settled_ms) WHERE over_nano > 0;
-- Only what is still to be delivered is in it.
CREATE INDEX alerts_due ON alerts (next_ms) WHERE delivered_ms IS NULL AND gave_up_ms IS NULL;

ALTER TABLE alerts ADD COLUMN error TEXT;                                     -- why the last attempt failed; NULL: it did not, or there was none

-- What is wrong right now, a row each; what is fine has none. A budget that refuses requests keeps its row: it is one of a period.
CREATE TABLE alert_state (
  subject    TEXT PRIMARY KEY,                                                -- 'host', 'model:gemma3:270m', or a budget as its alerts spell it
  seen       TEXT NOT NULL,                                                   -- the cause that was seen last
  times      INTEGER NOT NULL CHECK (times >= 1),                             -- how often in a row
  told       TEXT,                                                            -- the cause of the last alert; NULL: there was none yet
  since_ms   INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
