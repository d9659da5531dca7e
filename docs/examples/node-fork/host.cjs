// Forks a worker that parses sessions, as editors and coaching tools do, and adds up what it sends.
'use strict';
const { fork } = require('node:child_process');
const path = require('node:path');

const worker = fork(path.join(__dirname, 'worker.cjs'));
const sessions = [];

worker.on('message', (message) => {
  if (message.type === 'session') sessions.push(message.session);
});

worker.on('exit', (code) => {
  const requests = sessions.reduce((sum, session) => sum + session.requests, 0);
  console.log(`${sessions.length} sessions, ${requests} requests`);
  process.exitCode = code ?? 1;
});

worker.send({ type: 'parse', root: path.join(process.env.HOME, '.claude', 'projects') });
