// Reads the V8 heap of one isolate of a measured Node program, and leaves its record where the harness finds it.
//
// NODE_OPTIONS loads it into every process and every worker thread before the program. The program must not notice: nothing here
// throws, prints, keeps the process alive or adds a listener, and the functions used are those of before the program could patch them.
//
// The heap's peak is what it held before each collection. V8 gives these figures only when asked, so a timer asks; so do the moments
// after which there may be no other: the end, and a message to the parent, which may kill this process in return.
'use strict';

try {
  start();
} catch {
  // A program that goes unread is said to be so by the harness; one that does not start would be worse.
}

function start() {
  const { openSync, writeSync, closeSync, renameSync, existsSync } = require('fs');
  const { dirname, join } = require('path');
  const { isMainThread, threadId, parentPort } = require('worker_threads');
  const { subscribe } = require('diagnostics_channel');
  const v8 = require('v8');
  const { stringify } = JSON;
  const { apply, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { getHeapStatistics } = v8;
  const { byteLength } = Buffer;
  const { hrtime, pid } = process;
  const uptime = process.uptime.bind(process);

  const PERIOD_MS = 100;
  // Readings at messages may not take more than one part in this many of the time,
  const COST_SHARE = 40;
  // unless this much more is in use than was ever read.
  const GROWTH = 1.01;
  // What a profile may add to the heap when it is read, for each millisecond that it covers: a collection in 4 ms, of 16 KiB each.
  const PROFILE_BYTES_PER_MS = 4096;

  const PAGE_BYTES = 4096;
  // How often messages are looked at, at most.
  const LOOK_MS = 1;

  const NOTES = __dirname;
  const RECORDS = dirname(NOTES);
  const command = [process.argv0, ...process.execArgv, ...process.argv.slice(1)].join(' ');
  const doubts = [];
  const threads = [];
  const peak = { heap: 0, external: 0 };
  let profiler = null;
  let readAt = milliseconds();
  let cost = 0;
  let lookedAt = 0;
  let outgrown = false;

  function milliseconds() {
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  }

  function take(heap, external) {
    if (heap > peak.heap) peak.heap = heap;
    if (external > peak.external) peak.external = external;
  }

  function read(elapsed) {
    // First of all, because the profile fills the heap as it is read.
    const now = getHeapStatistics();
    take(now.used_heap_size, now.external_memory);
    if (profiler === null) return;
    if (elapsed * PROFILE_BYTES_PER_MS > now.heap_size_limit - now.used_heap_size) {
      profiler = null;
      doubts.push('its heap was too full for reading what its collections had noted, so that its peak may be higher');
      return;
    }
    const { statistics } = profiler.stop();
    for (let index = 0; index < statistics.length; index += 1) {
      const { usedHeapSize, externalMemory } = statistics[index].beforeGC.heapStatistics;
      take(usedHeapSize, externalMemory);
    }
    profiler.start();
  }

  // No reader sees half of it: it is written beside and renamed, or over what was there when it is one page, which no kill divides.
  // Renaming costs milliseconds where it makes the file system write at once, so it is not done ten times a second.
  function write(path, content) {
    let text = stringify(content);
    outgrown ||= byteLength(text) > PAGE_BYTES;
    const whole = outgrown || !existsSync(path);
    if (!whole) text += ' '.repeat(PAGE_BYTES - byteLength(text));
    const target = whole ? `${path}.tmp` : path;
    const file = openSync(target, whole ? 'w' : 'r+', 0o600);
    try {
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
    if (whole) renameSync(target, path);
  }

  function bytes(value) {
    return { value, unit: 'bytes', tier: 'noisy' };
  }

  function message() {
    const now = milliseconds();
    if (now - lookedAt < LOOK_MS) return;
    lookedAt = now;
    const due = now - readAt >= COST_SHARE * cost;
    if (due || getHeapStatistics().used_heap_size > GROWTH * peak.heap) flush(false);
  }

  function flush(ended) {
    const began = milliseconds();
    try {
      read(began - readAt);
      write(path, {
        role,
        instrument: 'v8',
        pid,
        metrics: { 'v8.heap_peak_bytes': bytes(peak.heap), 'v8.external_peak_bytes': bytes(peak.external) },
        phases: [],
        command,
        // For the harness alone: how far this record can be trusted.
        reading: { ended, uptime_seconds: uptime(), threads, doubts },
      });
    } catch {
      // The record stays as old as it says it is.
    }
    readAt = milliseconds();
    cost = readAt - began;
  }

  // Calls `before` whenever the method is called. An inherited method is looked up at each call, for it may be patched later.
  function precede(object, name, before) {
    const own = getOwnPropertyDescriptor(object, name);
    const method = () => (own === undefined ? getPrototypeOf(object)[name] : own.value);
    if (typeof method() !== 'function') return;
    const { [name]: value } = {
      [name](...args) {
        before(...args);
        return apply(method(), this, args);
      },
    };
    defineProperty(value, 'length', { value: method().length, configurable: true });
    const attributes = own ?? { writable: true, configurable: true, enumerable: false };
    defineProperty(object, name, { ...attributes, value });
  }

  function roleOf(thread) {
    return thread === undefined ? `node-${pid}` : `node-${pid}-thread-${thread}`;
  }

  // A process may become another program under the same id, and that may be Node again.
  function unused(role) {
    let name = role;
    for (let count = 2; existsSync(join(RECORDS, `${name}.json`)); count += 1) name = `${role}-again-${count}`;
    return name;
  }

  // A worker thread that runs out of heap is gone at once, and its process may still end well.
  function watch(worker) {
    const thread = worker.threadId;
    threads.push(thread);
    let limit = worker.resourceLimits.maxOldGenerationSizeMb;
    precede(worker, 'emit', (event, error) => {
      try {
        // By now a limit that was not given is known.
        if (event === 'online') limit = worker.resourceLimits.maxOldGenerationSizeMb ?? limit;
        if (event === 'error' && error?.code === 'ERR_WORKER_OUT_OF_MEMORY') died(thread, limit * 2 ** 20);
      } catch {
        // The program hears of it all the same.
      }
    });
  }

  // Nothing runs in the thread at its end. V8 gives up when the old generation is full, so the limit is what was in use: of heaps
  // whose collections were traced, 1 to 2 % were free.
  function died(thread, limit) {
    const bytes = limit > 0 ? limit : null;
    write(join(NOTES, `${roleOf(thread)}.death`), { pid, thread, limit_bytes: bytes, used_bytes: bytes });
  }

  const role = unused(roleOf(isMainThread ? undefined : threadId));
  const path = join(RECORDS, `${role}.json`);
  if (v8.GCProfiler === undefined) {
    doubts.push(`Node ${process.version} has no v8.GCProfiler, so that peaks between two readings were not seen (18.15 and later have it)`);
  } else {
    profiler = new v8.GCProfiler();
    profiler.start();
  }
  flush(false);
  setInterval(flush, PERIOD_MS, false).unref();
  precede(process, 'emit', (event) => {
    if (event === 'exit') flush(true);
  });
  precede(process, 'send', message);
  if (parentPort !== null) precede(parentPort, 'postMessage', message);
  subscribe('worker_threads', ({ worker }) => {
    try {
      watch(worker);
    } catch {
      // Its record is missed, and that is said.
    }
  });
  delete require.cache[__filename];
}
