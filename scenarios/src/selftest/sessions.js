// Parses every session file below a folder, and prints what it found.
//
// sessions.js keeps|drops FOLDER [retained|spike|copy BYTES FILE]
//
// `keeps` holds all records until the end, `drops` forgets each file once it is summed. After file number FILE, growth is planted: a
// buffer that is kept, one that is forgotten, or a second parse of the file's records, BYTES of their text, that is kept.
'use strict';

const fs = require('fs');
const path = require('path');

const [mode, folder, kind, bytes, at] = process.argv.slice(2);
const kept = [];
const found = { files: 0, records: 0, tokens: 0 };

function files(directory) {
  const entries = fs.readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) return files(file);
    return entry.name.endsWith('.jsonl') ? [file] : [];
  });
}

function parse(file) {
  const records = [];
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    try {
      if (line) records.push(JSON.parse(line));
    } catch {
      // A line that was cut off is no record.
    }
  }
  return records;
}

function copy(records, length) {
  const copies = [];
  let left = records.length ? length : 0;
  for (let index = 0; left > 0; index = (index + 1) % records.length) {
    const text = JSON.stringify(records[index]);
    copies.push(JSON.parse(text));
    left -= text.length;
  }
  return copies;
}

function plant(records) {
  if (kind === 'retained') kept.push(Buffer.alloc(Number(bytes), 1));
  if (kind === 'spike') Buffer.alloc(Number(bytes), 1);
  if (kind === 'copy') kept.push(copy(records, Number(bytes)));
}

files(folder).forEach((file, number) => {
  const records = parse(file);
  found.files += 1;
  found.records += records.length;
  for (const record of records) found.tokens += record?.message?.usage?.output_tokens ?? 0;
  if (mode === 'keeps') kept.push(records);
  if (number === Number(at)) plant(records);
});
console.log(JSON.stringify(found));
