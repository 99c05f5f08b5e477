-- What a vendor bills beside input, cached input and output. `input_tokens` holds all input: cached and written tokens are among it.
ALTER TABLE usage ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0 CHECK (cache_write_tokens >= 0);           -- written to the cache for minutes
ALTER TABLE usage ADD COLUMN cache_write_long_tokens INTEGER NOT NULL DEFAULT 0 CHECK (cache_write_long_tokens >= 0); -- for hours
ALTER TABLE usage ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0 CHECK (reasoning_tokens >= 0);               -- among output_tokens
ALTER TABLE usage_daily ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN cache_write_long_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_daily ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
