-- What a vendor's price list holds beside input, cached input and output (pico-USD per token, as those; docs/prices.md).
-- NULL: the vendor has no such price.
ALTER TABLE prices ADD COLUMN variant TEXT NOT NULL DEFAULT ''               -- a service tier, speed or region priced on its own; '': the plain price
  CHECK (variant = '' OR (upstream <> 'ollama' AND length(variant) <= 64));
ALTER TABLE prices ADD COLUMN cache_write_pico INTEGER                       -- input that is written to the cache for minutes (5 at Anthropic, 30 at OpenAI)
  CHECK (cache_write_pico BETWEEN 0 AND 10000000000);
ALTER TABLE prices ADD COLUMN cache_write_long_pico INTEGER                  -- for hours (1 at Anthropic, 12 at OpenAI)
  CHECK (cache_write_long_pico BETWEEN 0 AND 10000000000);
-- A request whose whole input is more tokens than this costs the prices below, for all of its tokens; NULL: no such tier.
ALTER TABLE prices ADD COLUMN above_tokens INTEGER CHECK (above_tokens BETWEEN 1 AND 1000000000);
ALTER TABLE prices ADD COLUMN above_input_pico INTEGER
  CHECK (above_input_pico BETWEEN 0 AND 10000000000 AND (above_input_pico IS NULL) = (above_tokens IS NULL));
ALTER TABLE prices ADD COLUMN above_cached_input_pico INTEGER
  CHECK (above_cached_input_pico BETWEEN 0 AND 10000000000 AND (above_cached_input_pico IS NULL) = (above_tokens IS NULL));
ALTER TABLE prices ADD COLUMN above_cache_write_pico INTEGER
  CHECK (above_cache_write_pico BETWEEN 0 AND 10000000000 AND (above_cache_write_pico IS NULL OR above_tokens IS NOT NULL));
ALTER TABLE prices ADD COLUMN above_cache_write_long_pico INTEGER
  CHECK (above_cache_write_long_pico BETWEEN 0 AND 10000000000 AND (above_cache_write_long_pico IS NULL OR above_tokens IS NOT NULL));
ALTER TABLE prices ADD COLUMN above_output_pico INTEGER
  CHECK (above_output_pico BETWEEN 0 AND 10000000000 AND (above_output_pico IS NULL) = (above_tokens IS NULL));
