// What the gateway is measured against: the same host behind a Worker that only passes on, with or without a trivial D1 batch before and after.
// It is served as it stands here, less its types.

interface Env {
  HOST: string
  DB?: D1Database
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    // For the time that a start takes.
    if (request.method === 'GET') return new Response('ok')
    const { pathname } = new URL(request.url)
    const body = await request.text()
    const headers = { 'content-type': 'application/json' }
    const forward = () => fetch(env.HOST + pathname, { method: 'POST', headers, body })
    const db = env.DB
    if (db === undefined) return forward()

    const id = crypto.randomUUID()
    await db.batch([
      db.prepare('INSERT INTO floor (id, n) VALUES (?1, 1)').bind(id),
      db.prepare('SELECT n FROM floor WHERE id = ?1').bind(id),
    ])
    const answer = await forward()
    const { readable, writable } = new IdentityTransformStream()
    const passed = answer.body?.pipeTo(writable)
    context.waitUntil(
      Promise.resolve(passed).then(() =>
        db.batch([db.prepare('UPDATE floor SET n = n + 1 WHERE id = ?1').bind(id), db.prepare('DELETE FROM floor WHERE id = ?1').bind(id)]),
      ),
    )
    return new Response(readable, answer)
  },
}
