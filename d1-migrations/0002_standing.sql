-- How things stood when a request was admitted (JSON: worker/ledger/admission-sql.ts, STANDING). It is written with the hold, so that one statement
-- both decides and answers; a hold of before has none.
ALTER TABLE holds ADD COLUMN standing TEXT;
