// A process that leaks connections once a flag is on. No packages.
//
//   node --expose-gc connections.js FOLDER [SECONDS]
//
// Opens real connections to itself; each holds a buffer of 256 KiB on the server's side until it is closed. Before the
// flag every client hangs up after some seconds. With the flag on, a third of them never do.
// Writes FOLDER/memory.jsonl (`process.memoryUsage()` after a collection), FOLDER/numbers.csv (open connections, jobs
// done) and FOLDER/changes.csv (a deploy, then the flag), all with times.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const HELD_BYTES = 256 * 1024;
const folder = process.argv[2] ?? '.';
const seconds = Number(process.argv[3] ?? 360);
const PER_SECOND = 4;
const DRIFT = 0.6;
fs.mkdirSync(folder, { recursive: true });
const open = (name) => fs.createWriteStream(path.join(folder, name));
const [memory, numbers, changes] = ['memory.jsonl', 'numbers.csv', 'changes.csv'].map(open);

// Numbers that are the same in every run (mulberry32).
let state = 20262;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const pool = new Set();
let jobs = 0;
let isFlagOn = false;
const server = net.createServer((socket) => {
  // Filled, so that the kernel has to give it memory.
  const connection = { socket, buffer: Buffer.alloc(HELD_BYTES, 1) };
  pool.add(connection);
  socket.on('close', () => pool.delete(connection));
  socket.on('error', () => {});
  socket.resume();
});

const note = (label) => changes.write(`${new Date().toISOString()},${label}\n`);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  numbers.write('time,open_connections,jobs_total\n');
  changes.write('time,label\n');
  let rate = PER_SECOND;
  const connect = () => {
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => {});
    const isLost = isFlagOn && random() < 1 / 3;
    if (!isLost) setTimeout(() => client.destroy(), 1000 * (4 + 8 * random()));
  };
  const read = () => {
    global.gc();
    const time = new Date().toISOString();
    memory.write(`${JSON.stringify({ time, ...process.memoryUsage() })}\n`);
    numbers.write(`${time},${pool.size},${jobs}\n`);
  };
  setInterval(() => { rate = PER_SECOND * Math.exp(DRIFT * normal()); }, 15_000);
  setInterval(() => {
    const expected = rate / 10;
    const count = Math.floor(expected) + (random() < expected % 1 ? 1 : 0);
    for (let index = 0; index < count; index += 1) connect();
    jobs += random() < 0.3 ? 1 : 0;
  }, 100);
  setInterval(read, 1000);
  setTimeout(() => note('deploy 7c1e0f2'), 1000 * seconds / 6);
  setTimeout(() => { isFlagOn = true; note('flag keep-alive on'); }, 1000 * seconds * 0.45);
  setTimeout(() => process.exit(0), 1000 * seconds);
});
