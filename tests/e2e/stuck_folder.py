"""A folder in which every look waits inside the kernel: a FUSE file system whose server reads requests and
never answers. A process that looks up a name there cannot be killed until the folder is let go."""

import ctypes
import os
import struct
import threading

from harness import Skip

OP_INIT, OP_LOOKUP = 26, 1
HEADER = struct.Struct("<IIQQ")     # of every request: length, operation, number, node (linux/fuse.h)
PARALLEL_LOOKUPS = 1 << 18          # else one look at a time, and the next waits for a lock
MNT_FORCE_DETACH = 1 | 2


class StuckFolder:
    def __init__(self, path):
        self.path, self.lookups, self.handle = path, 0, None
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self):
        os.makedirs(self.path)
        try:
            self.handle = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise Skip(f"a process can be made to hang inside the kernel only with FUSE: {error}") from error
        options = f"fd={self.handle},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if self.libc.mount(b"nightshift-test", os.fsencode(self.path), b"fuse", 0, options.encode()) != 0:
            reason = os.strerror(ctypes.get_errno())
            os.close(self.handle)
            raise Skip(f"a FUSE file system cannot be mounted here: {reason}")
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                request = os.read(self.handle, 1 << 17)
            except OSError:
                return
            _, operation, number, _ = HEADER.unpack_from(request)
            if operation == OP_LOOKUP:
                self.lookups += 1
            if operation == OP_INIT:
                _, _, read_ahead = struct.unpack_from("<III", request, 40)
                body = struct.pack("<IIIIHHII", 7, 31, read_ahead, PARALLEL_LOOKUPS, 12, 10, 1 << 16, 1)
                body += bytes(32)
                os.write(self.handle, struct.pack("<IiQ", 16 + len(body), 0, number) + body)

    def let_go(self):
        """Everything that waits here gets an error, and dies if it was killed meanwhile."""
        if self.handle is not None:
            self.libc.umount2(os.fsencode(self.path), MNT_FORCE_DETACH)
            os.close(self.handle)
            self.handle = None

    def __exit__(self, *_):
        self.let_go()
