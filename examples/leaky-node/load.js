// Sends requests to all routes of server.js, more or less of each from one quarter of a minute to the next (sooner in short runs).
//
//   node load.js SECONDS [PORT] [PER_SECOND]
'use strict';

const http = require('node:http');

const seconds = Number(process.argv[2] ?? 300);
const port = Number(process.argv[3] ?? 3000);
const perSecond = Number(process.argv[4] ?? 25);
const DRIFT = 0.6;
// A twentieth of the time, and a quarter of a minute at most.
const QUARTER = Math.min(15_000, 50 * seconds);

// Numbers that are the same in every run (mulberry32).
let state = 20261;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const kinds = [
  { share: 0.08, method: 'GET', url: () => '/health' },
  { share: 0.40, method: 'GET', url: () => `/users/${1 + Math.floor(random() * 5000)}` },
  { share: 0.22, method: 'GET', url: () => `/search?q=${Math.floor(random() * 1000)}` },
  { share: 0.18, method: 'POST', url: () => '/orders' },
  { share: 0.12, method: 'POST', url: () => '/upload' },
];
const drift = () => kinds.forEach((kind) => { kind.rate = perSecond * kind.share * Math.exp(DRIFT * normal()); });
drift();
setInterval(drift, QUARTER).unref();

const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
let failed = 0;
const send = (kind) => {
  const request = http.request({ port, agent, method: kind.method, path: kind.url() }, (response) => response.resume());
  request.on('error', () => { failed += 1; });
  request.end();
};

const begin = Date.now();
const step = 50;
const timer = setInterval(() => {
  if (Date.now() - begin > seconds * 1000) {
    clearInterval(timer);
    agent.destroy();
    console.log(`done, ${failed} requests failed`);
    return;
  }
  for (const kind of kinds) {
    // A fraction of a request is sent by chance.
    const expected = kind.rate * step / 1000;
    const count = Math.floor(expected) + (random() < expected % 1 ? 1 : 0);
    for (let index = 0; index < count; index += 1) send(kind);
  }
}, step);
