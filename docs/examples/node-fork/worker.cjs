// Reads every session file below a folder, whole, and sends one message for each. Its log says which phase it is in.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

process.on('message', ({ type, root }) => {
  if (type !== 'parse') return;
  console.log('phase=1 detail=find');
  const names = fs.readdirSync(root, { recursive: true });
  const files = names.filter((name) => name.endsWith('.jsonl')).sort();
  console.log('phase=2 detail=parse');
  const sessions = files.map((name) => parse(path.join(root, name)));
  console.log('phase=3 detail=send');
  for (const session of sessions) process.send({ type: 'session', session });
  process.disconnect();
});

function parse(file) {
  const records = [];
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    try {
      records.push(JSON.parse(line));
    } catch {
      // Empty lines, and the last one of a session that is being written.
    }
  }
  const requests = records.filter((record) => record?.type === 'assistant').length;
  return { file: path.basename(file), requests, records };
}
