# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of the host suite: what was learned is kept, whole and for its owner alone."""
import os

from world import Failure, check


def cases(case):
    @case
    def state_is_kept(w):
        t = w.tool()
        t.refused("state work", "ENOENT")
        t.refused("forget work", "ENOENT")
        check(not os.path.exists(w.state_dir), "asking made the directory")
        t.ok("learn work first")
        t.ok("learn work second=2")
        t.ok("learn x.tmp other")
        t.ok("learn x third")
        check(t.ok("state work")["text"] == "second=2", "what was written last")
        check(t.ok("state x.tmp")["text"] == "other", "a name like a half-written file")
        check(sorted(os.listdir(w.state_dir)) == ["work", "x", "x.tmp"], os.listdir(w.state_dir))
        for path, mode in ((w.state_dir, 0o700), (os.path.join(w.state_dir, "work"), 0o600)):
            check(os.stat(path).st_mode & 0o777 == mode, "mode of " + path)
        t.ok("forget work")
        t.refused("state work", "ENOENT")
        for name in ("../x", ".x", "-x", "x/y", "a..b"):
            t.refused("learn %s y" % name, "EINVAL")
            t.refused("state %s" % name, "EINVAL")
            t.refused("forget %s" % name, "EINVAL")

    @case
    def state_of_others_is_not_believed(w):
        t = w.tool()
        t.ok("learn work mine")
        os.chmod(w.state_dir, 0o777)
        t.refused("state work", "EPERM")
        t.refused("learn work yours", "EPERM")
        t.refused("forget work", "EPERM")
        os.chmod(w.state_dir, 0o700)
        os.rename(os.path.join(w.state_dir, "work"), os.path.join(w.dir, "elsewhere"))
        os.symlink(os.path.join(w.dir, "elsewhere"), os.path.join(w.state_dir, "work"))
        t.refused("state work", "ELOOP")
        t.ok("learn work again")
        check(w.read(os.path.join(w.dir, "elsewhere")) == "mine", "written through a link")
        check(t.ok("state work")["text"] == "again", "replaced")

    @case
    def state_is_whole_or_not_at_all(w):
        """Killed at each system call of a write, what is read is the old text or the new one."""
        w.tool().ok("learn work before")
        for n in range(1, 40):
            t = w.tool()
            t.ok("killat %d" % n)
            try:
                t.ok("learn work after")
            except (Failure, OSError, ValueError, KeyError):
                pass
            else:
                break
            text = w.tool().ok("state work")["text"]
            check(text in ("before", "after"), "after %d calls: %s" % (n, text))
            if text == "after":
                w.tool().ok("learn work before")
        check(2 < n < 39, "%d calls" % n)
