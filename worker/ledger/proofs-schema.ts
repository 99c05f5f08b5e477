// The proof that the tables are as the migrations make them. worker/schema.ts is that in another spelling, which its own test holds it to.
import { getTableColumns, getTableName, is, Table } from 'drizzle-orm'
import * as schema from '../schema.ts'
import type { Proof } from './proofs.ts'

const ALL = Object.values(schema).flatMap((value) => (is(value, Table) ? [value] : []))

export const TABLES: readonly string[] = ALL.map((table) => getTableName(table))

/** [table, column, 'INTEGER NOT NULL'] of each column. */
const COLUMNS = ALL.flatMap((table) =>
  Object.values(getTableColumns(table)).map((column) => [
    getTableName(table),
    column.name,
    column.getSQLType().toUpperCase() + (column.notNull ? ' NOT NULL' : ''),
  ]),
)

export const SCHEMA_PROOFS: readonly Proof[] = [
  {
    name: 'every table has the columns that the migrations gave it',
    of: `SELECT count(*) AS n FROM json_each('${JSON.stringify(TABLES)}') t JOIN pragma_table_info(t.value) c`,
    sql: `WITH due AS (SELECT value ->> 0 AS "table", value ->> 1 AS column, value ->> 2 AS type FROM json_each('${JSON.stringify(COLUMNS)}')
      ), found AS (SELECT t.value AS "table", c.name AS column, c.type || iif(c."notnull" OR c.pk > 0, ' NOT NULL', '') AS type
        FROM json_each('${JSON.stringify(TABLES)}') t JOIN pragma_table_info(t.value) c
      ) SELECT "table", column, max(due) AS due, max(found) AS found FROM (
        SELECT "table", column, type AS due, NULL AS found FROM due UNION ALL SELECT "table", column, NULL, type FROM found
      ) GROUP BY "table", column HAVING max(due) IS NOT max(found)`,
  },
]
