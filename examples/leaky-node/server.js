// Five routes, of which one keeps a buffer of 40 KiB per request. No packages.
//
//   node server.js FOLDER [PORT] [MILLISECONDS]
//
// Writes FOLDER/access.log (combined format) and FOLDER/memory.jsonl (`process.memoryUsage()` with a time, every 2 s, or
// as often as said).
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const KEPT_BYTES = 40 * 1024;
const folder = process.argv[2] ?? '.';
const port = Number(process.argv[3] ?? 3000);
const every = Number(process.argv[4] ?? 2000);
fs.mkdirSync(folder, { recursive: true });
const access = fs.createWriteStream(path.join(folder, 'access.log'));
const memory = fs.createWriteStream(path.join(folder, 'memory.jsonl'));

// The leak: what is uploaded is remembered and never forgotten.
const uploads = [];

// Work that makes garbage, so that memory is noisy as that of real services is.
const busy = (items) => JSON.stringify(Array.from({ length: items }, (_, item) => ({ item, name: `item ${item}` })));

const routes = [
  ['GET', /^\/health$/, () => 'ok\n'],
  ['GET', /^\/users\/\d+$/, () => busy(50)],
  ['GET', /^\/search$/, () => busy(400)],
  ['POST', /^\/orders$/, () => busy(20)],
  ['POST', /^\/upload$/, () => {
    // Filled, so that the kernel has to give it memory.
    uploads.push(Buffer.alloc(KEPT_BYTES, 1));
    return `${uploads.length}\n`;
  }],
];

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number) => String(number).padStart(2, '0');
const clf = (time) => `${two(time.getUTCDate())}/${months[time.getUTCMonth()]}/${time.getUTCFullYear()}:`
  + `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const route = routes.find(([method, pattern]) => method === request.method && pattern.test(pathname));
  request.resume();
  request.on('end', () => {
    const body = route ? route[2]() : 'not found\n';
    response.statusCode = route ? 200 : 404;
    response.end(body);
    access.write(`127.0.0.1 - - [${clf(new Date())}] "${request.method} ${request.url} HTTP/1.1" `
      + `${response.statusCode} ${Buffer.byteLength(body)} "-" "load"\n`);
  });
});

const read = () => memory.write(`${JSON.stringify({ time: new Date().toISOString(), ...process.memoryUsage() })}\n`);
server.listen(port, '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}, keeps ${KEPT_BYTES} bytes per upload`);
  read();
  setInterval(read, every).unref();
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    read();
    server.close();
    server.closeAllConnections();
    access.end();
    memory.end();
  });
}
