-- When the operator ended a running request (`kill`); whoever runs it looks, and ends it. NULL: nobody has.
ALTER TABLE holds ADD COLUMN killed_ms INTEGER;
-- What a look reads: only what is to end is in it, so an ordinary request writes nothing here.
CREATE INDEX holds_killed ON holds (killed_ms) WHERE killed_ms IS NOT NULL;
