// Identity providers for the tests, in one process that ends with its caller: it says on the first line of its output where
// they listen, and stops when its input closes.
import { createServer } from 'node:http';
import { certified } from './certified.mjs';
import { answer } from './misbehaving.mjs';
import { answerLikeGitHub } from './github.mjs';

// A caller who gives up in the middle is no reason to stop.
process.on('uncaughtException', (error) => console.error(error));
process.on('unhandledRejection', (error) => console.error(error));
process.stdin.on('end', () => process.exit(0)).resume();

const listen = (server) =>
  new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

const other = createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  const take = url.pathname.startsWith('/gh/') ? answerLikeGitHub : answer;
  take(request, response, url).catch((error) => {
    response.writeHead(500).end(String(error));
  });
});
const misbehaving = await listen(other);

const first = createServer();
const port = await listen(first);
first.on('request', certified(`http://127.0.0.1:${port}`));

console.log(JSON.stringify({ certified: port, misbehaving }));
