/** Made by outcomes-plugin.ts. */
declare module 'virtual:simulated' {
  const outcomes: import('./run-schedule.ts').Outcome[]
  export default outcomes
}
