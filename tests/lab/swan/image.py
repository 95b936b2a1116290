# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest's root image: a small Debian with strongSwan, Libreswan, xl2tpd and pppd, and the modules
of the User-mode Linux kernel. Built once; again only when what goes into it has changed."""
import fcntl
import hashlib
import os
import shlex
import shutil
import time

from place import HERE, IMAGES, ROOT, SHIM, Broken, read, say, sh, write

PACKAGES = (
    "strongswan-starter strongswan-charon strongswan-libcharon libcharon-extra-plugins libstrongswan-extra-plugins "
    "libstrongswan-standard-plugins xl2tpd l2tpns ppp dnsmasq-base socat iproute2 iputils-ping iperf3 "
    "mount kmod busybox procps iptables").split()
# Libreswan lies as a second layer over the same tree, since Debian's two packages conflict; these
# are its dependencies.
LIBRESWAN_NEEDS = (
    "libnss3-tools libunbound8 libldns3 libevent-2.1-7 libevent-pthreads-2.1-7 libpam0g "
    "libcurl3-nss libcap-ng0 libseccomp2 libaudit1 libldap-2.5-0 dns-root-data bind9-host "
    "python3-minimal").split()
MODULES = (
    "overlay esp4 esp6 xfrm_user af_key l2tp_core l2tp_ppp ppp_generic ppp_async ppp_deflate "
    "bsd_comp ppp_mppe pppox ipv6 tun ifb sch_netem sch_ingress act_mirred cls_matchall cls_u32 "
    "authenc echainiv seqiv cbc gcm ccm ctr des_generic sha512_generic hmac drbg "
    "jitterentropy_rng ansi_cprng ghash-generic xfrm4_tunnel tunnel4 udp_tunnel").split()
KERNELS = "/usr/lib/uml/modules"


def sources():
    """The first apt source of this machine that is plain Debian."""
    folder = "/etc/apt/sources.list.d/"
    files = ["/etc/apt/sources.list"] + (
        [folder + f for f in sorted(os.listdir(folder))] if os.path.isdir(folder) else [])
    for path in files:
        text = read(path)
        if "debian" in os.path.basename(path) + text and "nodistro" not in text and \
                "cloud" not in text and text.strip():
            return [path]
    return []


def copy_modules(kernel, base):
    """The wanted modules with everything that they depend on."""
    source = os.path.join(KERNELS, kernel)
    needs = {}
    for line in read(source + "/modules.dep").splitlines():
        name, _, rest = line.partition(":")
        needs[os.path.basename(name)[:-3].replace("-", "_")] = [name] + rest.split()
    target = os.path.join(base, "lib/modules", kernel)
    shutil.rmtree(os.path.join(base, "lib/modules"), ignore_errors=True)
    for wanted in MODULES:  # what is missing is built in
        for module in needs.get(wanted.replace("-", "_"), []):
            os.makedirs(os.path.dirname(os.path.join(target, module)), exist_ok=True)
            shutil.copy(os.path.join(source, module), os.path.join(target, module))
    for f in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if os.path.exists(os.path.join(source, f)):
            shutil.copy(os.path.join(source, f), target)
    sh(["chroot", base, "depmod", kernel])


def add_libreswan(tree):
    layer = os.path.join(tree, "libreswan")
    debs = os.path.join(tree, "debs")
    os.makedirs(debs)
    sh("cd %s && apt-get download -q libreswan" % shlex.quote(debs), timeout=300)
    sh("dpkg-deb -x %s/libreswan_*.deb %s" % (shlex.quote(debs), shlex.quote(layer)))
    shutil.rmtree(debs)
    for d in ("lib", "bin", "sbin"):  # a real /lib here would hide the link to usr/lib below
        if os.path.isdir(os.path.join(layer, d)):
            sh("cd %s && mkdir -p usr/%s && cp -a %s/. usr/%s/ && rm -rf %s"
               % (shlex.quote(layer), d, d, d, d))
    # Its key store takes seconds to make inside a guest.
    sh("mkdir -p {b}/tmp/nss {l}/var/lib/ipsec/nss && "
       "chroot {b} certutil -N --empty-password -d sql:/tmp/nss && "
       "mv {b}/tmp/nss/* {l}/var/lib/ipsec/nss/ && rmdir {b}/tmp/nss".format(
           b=shlex.quote(os.path.join(tree, "base")), l=shlex.quote(layer)))


def fingerprint():
    files = [os.path.join(HERE, "guest", f) for f in sorted(os.listdir(HERE + "/guest"))]
    text = " ".join(PACKAGES + LIBRESWAN_NEEDS + MODULES + sorted(os.listdir(KERNELS)))
    text += "".join(read(f) for f in files + [os.path.realpath(__file__)])
    return hashlib.sha256(text.encode()).hexdigest()


def fill(tree):
    base = os.path.join(tree, "base")
    suite = sh(". /etc/os-release; echo $VERSION_CODENAME").strip()
    sh(["mmdebstrap", "--mode=root", "--variant=essential", "--format=directory",
        "--include=" + ",".join(PACKAGES + LIBRESWAN_NEEDS),
        '--aptopt=APT::Install-Recommends "false"', "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
        suite, base] + sources(), timeout=600)
    copy_modules(sorted(os.listdir(KERNELS))[-1], base)
    for d in ("lab/old", "mnt/share", "srv/www"):
        os.makedirs(os.path.join(base, d))
    shutil.copy(HERE + "/guest/stage2", base + "/lab/stage2")
    write(base + "/srv/www/index.html", "inside the tunnel\n")
    for d in ("bin", "proc", "sys", "dev", "rw", "new"):
        os.makedirs(os.path.join(tree, d))
    shutil.copy("/bin/busybox", tree + "/bin/busybox")
    shutil.copy(HERE + "/guest/init", tree + "/init")
    add_libreswan(tree)


def ready():
    return os.path.exists(ROOT) and os.path.exists(SHIM) and \
        read(os.path.join(IMAGES, "fingerprint")) == fingerprint()


def build(force=False):
    """Makes the image unless it is there; says how long it took."""
    if not os.path.isdir(KERNELS):
        raise Broken("the package user-mode-linux is not installed")
    if ready() and not force:
        return 0.0
    began = time.monotonic()
    os.makedirs(IMAGES, exist_ok=True)
    with open(os.path.join(IMAGES, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two labs that start together build it once
        if force or not ready():
            make()
    return time.monotonic() - began


def make():
    say("building the guest image (about a minute, once)")
    tree = os.path.join(IMAGES, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    fill(tree)
    kb = int(sh(["du", "-sk", tree]).split()[0])
    new = ROOT + ".new"
    if os.path.exists(new):
        os.unlink(new)
    sh(["mkfs.ext4", "-q", "-O", "^has_journal", "-m0", "-d", tree, new,
        "%dk" % (kb * 5 // 4 + 32768)])
    sh(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", SHIM, HERE + "/guest/xstate.c"])
    os.replace(new, ROOT)
    shutil.rmtree(tree)
    write(os.path.join(IMAGES, "fingerprint"), fingerprint())
