"""Leaves a record of tracemalloc's peak in this process of a measured Python program.

PYTHONPATH makes Python import it before the program. The program must not notice: nothing here raises or prints. The record is
written as the program goes, for no handler runs when a process is killed; and then the sitecustomize that would have been
imported is. It is understood by every Python, also by those that have no tracemalloc.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PERIOD_SECONDS = 0.25


def _start():
    # The module in C: the one in Python imports what would be counted as the program's.
    import _tracemalloc

    if not _tracemalloc.is_tracing():
        _tracemalloc.start(1)
    import _thread
    import atexit

    os_open, os_write, os_close, replace = os.open, os.write, os.close, os.replace
    get_traced_memory, exit_now = _tracemalloc.get_traced_memory, os._exit
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0)

    class Record:
        """The record of this process, and the thread that keeps it."""

        def __init__(self):
            self.peak = 0
            self.pid = os.getpid()
            self.role = unused("python-%d" % self.pid)
            self.path = os.path.join(os.path.dirname(HERE), self.role + ".json")
            self.writing = _thread.allocate_lock()
            self.watch()

        def watch(self):
            self.stop, self.stopped = _thread.allocate_lock(), _thread.allocate_lock()
            self.stop.acquire()
            self.stopped.acquire()
            _thread.start_new_thread(self.run, (self.stop, self.stopped))

        def run(self, stop, stopped):
            while not stop.acquire(True, PERIOD_SECONDS):
                self.flush()
            stopped.release()

        def rest(self):
            """Ends the thread."""
            if self.stop is not None:
                self.stop.release()
                self.stopped.acquire(True, 1.0)
                self.stop = None

        def flush(self):
            # A process that forked by other means than Python's is none of ours.
            if os.getpid() != self.pid:
                return
            # The thread and the end may come together.
            with self.writing:
                try:
                    self.peak = max(self.peak, get_traced_memory()[1])
                    write(self.path, RECORD % (self.role, self.pid, self.peak, quoted(command())))
                except Exception:
                    pass

    def unused(role):
        name, count = role, 2
        while os.path.exists(os.path.join(os.path.dirname(HERE), name + ".json")):
            name, count = "%s-again-%d" % (role, count), count + 1
        return name

    def write(path, text):
        file = os_open(path + ".tmp", flags, 0o600)
        try:
            os_write(file, text.encode("ascii"))
        finally:
            os_close(file)
        replace(path + ".tmp", path)

    def command():
        return " ".join(getattr(sys, "orig_argv", None) or [sys.executable] + getattr(sys, "argv", []))

    def quoted(text):
        return '"%s"' % "".join(letter if " " <= letter <= "~" and letter not in '"\\' else escaped(letter) for letter in text)

    def escaped(letter):
        # What was no text stands between the surrogates; JSON has no place for it.
        code = ord(letter)
        if code > 0xFFFF:
            code -= 0x10000
            return "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
        return "\\ufffd" if 0xD800 <= code <= 0xDFFF else "\\u%04x" % code

    records = [Record()]

    def with_rest(fork):
        # Python warns of a fork beside other threads, and the one that keeps the record is none of the program's.
        def wrapper():
            records[0].rest()
            pid = None
            try:
                pid = fork()
            finally:
                if pid is None or child_of(pid) != 0:
                    records[0].watch()
                else:
                    # What was the parent's peak is not the child's; what it holds, the child holds.
                    getattr(_tracemalloc, "reset_peak", int)()
                    records[0] = Record()
            return pid

        wrapper.__name__ = fork.__name__
        return wrapper

    def child_of(answer):
        return answer[0] if isinstance(answer, tuple) else answer

    def leave(status):
        records[0].flush()
        exit_now(status)

    def end():
        records[0].rest()
        records[0].flush()

    atexit.register(end)
    os._exit = leave
    for name in ("fork", "forkpty"):
        if hasattr(os, name):
            setattr(os, name, with_rest(getattr(os, name)))


RECORD = (
    '{"role":"%s","instrument":"tracemalloc","pid":%d,"metrics":{"tracemalloc.peak_bytes":'
    '{"value":%d,"unit":"bytes","tier":"noisy"}},"phases":[],"command":%s}'
)

try:
    _start()
except Exception:
    # A program that goes unread is said to be so by the harness; one that does not start would be worse.
    pass

# The program's own, if there is one further down the path. Its errors are what they would have been.
sys.path[:] = [entry for entry in sys.path if entry != HERE]
del sys.modules[__name__]
import sitecustomize  # noqa
