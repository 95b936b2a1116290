# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration files of the server, written into the folder that the guest mounts."""
import os
import shlex
import shutil

import profiles
from place import (INSIDE, MANAGE_GUEST, PSK, RANGE, SERVER, SHARE, TUNNEL_SECRET, USERS, WAN,
                   sh, write)

VECTORS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "vectors", "x509")
STRONGSWAN = """charon {
  load_modular = no
  load = aes sha2 sha1 md5 random nonce x509 pubkey pem openssl pkcs1 pkcs8 gmp curve25519 hmac kdf ctr gcm %(more)s
  install_virtual_ip = no
  retransmit_tries = 4
  i_dont_care_about_security_and_use_aggressive_mode_psk = %(aggressive)s
  filelog {
    f {
      path = /mnt/share/charon.log
      time_format = %%H:%%M:%%S
      default = 1
      flush_line = yes
      %(levels)s
    }
  }
}
"""
MORE_PLUGINS = "drbg attr kernel-netlink resolve socket-default stroke updown counters"
START = """
for m in jitterentropy_rng drbg ansi_cprng ghash_generic ctr esp4 xfrm_user af_key authenc cbc gcm \\
    seqiv echainiv des_generic ppp_generic ppp_async ppp_deflate ppp_mppe bsd_comp; do
    modprobe -q $m
done
echo 1 > /proc/sys/net/ipv4/ip_forward
for f in rmem_max wmem_max; do echo 8388608 > /proc/sys/net/core/$f; done
echo 20000 > /proc/sys/net/core/netdev_max_backlog
for f in send_redirects accept_redirects rp_filter; do
    for c in /proc/sys/net/ipv4/conf/*/$f; do echo 0 > $c; done
done
[ -e /dev/ppp ] || mknod /dev/ppp c 108 0
touch /etc/ppp/options
ip addr add {inside}/32 dev lo
{l2tp}
{ipsec}
# Plain L2TP must never succeed: the policies of a negotiated SA outrank these two.
ip xfrm policy add dst {server}/32 proto udp dport 1701 dir in priority 4000000000 action block
ip xfrm policy add src {server}/32 proto udp sport 1701 dir out priority 4000000000 action block
iperf3 -s -D -B {inside} --logfile /mnt/share/iperf3.log
busybox httpd -p {inside}:80 -h /srv/www
dnsmasq --no-resolv --no-hosts --bind-interfaces --listen-address={inside} \\
    --address=/inside.lab.test/{inside} --port=53 --user=root
{lns}
"""
START_XL2TPD = """xl2tpd -D -p /run/xl2tpd.pid -C /run/xl2tpd/l2tp-control > /mnt/share/xl2tpd.log 2>&1 &
for i in $(seq 100); do [ -e /run/xl2tpd/l2tp-control ] && break; sleep 0.05; done"""
START_L2TPNS = """modprobe -q tun
mkdir -p /dev/net /var/run/l2tpns/acct
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
python3 /mnt/share/radius.py radius-secret {users} > /mnt/share/radius.log 2>&1 &
l2tpns -h labserver > /mnt/share/l2tpns.out 2>&1 &
for i in $(seq 100); do grep -q "becoming master" /mnt/share/l2tpns.log && break; sleep 0.05; done"""
START_STRONGSWAN = """mkdir -p /run/strongswan
ipsec start
for i in $(seq 100); do ipsec status > /dev/null 2>&1 && break; sleep 0.05; done"""
START_LIBRESWAN = """mkdir -p /run/pluto /var/lib/ipsec/nss
ipsec checknss > /dev/null
if [ -d /etc/lab-nss ]; then
    pk12util -i /etc/lab-nss/server.p12 -d sql:/var/lib/ipsec/nss -W "" -K ""
    certutil -A -n ca -t CT,C,C -i /etc/lab-nss/ca.pem -d sql:/var/lib/ipsec/nss
fi
/usr/libexec/ipsec/pluto --config /etc/ipsec.conf --leak-detective > /mnt/share/pluto.out 2>&1
for i in $(seq 100); do [ -S /run/pluto/pluto.ctl ] && break; sleep 0.05; done
ipsec addconn --autoall --config /etc/ipsec.conf"""


def key_of(name):
    return name if name.startswith("ec") or name.endswith("4096") else "server"


# What the server's side of a life is: seconds of IKE and ESP SAs, when it begins to renew them, and
# bytes that it counts itself. The server begins between 70 and 80 % of 20 s, before our 80 to 90 %.
LIVES = {"long": (28800, 3600, 540, 100), "short": (120, 60, 9, 0), "20": (20, 20, 4, 50),
         "bytes": (28800, 3600, 540, 100)}


def life(conf, phase2, margin):
    ike, esp, before, fuzz = LIVES[conf["life"]]
    return ["ikelifetime=%ds" % ike, "%s=%ds" % (phase2, esp), "%s=%ds" % (margin, before),
            "rekeyfuzz=%d%%" % fuzz]


def certificates(etc, name):
    """The certificates of the unit tests; their keys are named after what was signed with them."""
    key = key_of(name)
    for where, what in (("cacerts", "ca.pem"), ("certs", name + ".pem"), ("private", key + ".key")):
        os.makedirs(etc + "/ipsec.d/" + where, exist_ok=True)
        shutil.copy(os.path.join(VECTORS, what), etc + "/ipsec.d/" + where)
    write(etc + "/ipsec.secrets", ": %s %s.key\n" % ("ECDSA" if name.startswith("ec") else "RSA", key),
          0o600)
    return ["authby=pubkey", "leftcert=%s.pem" % name, "leftsendcert=always"]


def nss_certificates(etc, name):
    """For Libreswan: a PKCS#12 file that the guest imports into the key store; see start.sh."""
    os.makedirs(etc + "/lab-nss", exist_ok=True)
    shutil.copy(os.path.join(VECTORS, "ca.pem"), etc + "/lab-nss")
    sh(["openssl", "pkcs12", "-export", "-name", "server", "-passout", "pass:", "-inkey",
        os.path.join(VECTORS, key_of(name) + ".key"), "-in", os.path.join(VECTORS, name + ".pem"),
        "-out", etc + "/lab-nss/server.p12"])
    return ["authby=rsasig", "leftcert=server", "leftsendcert=always", "leftid=%fromcert",
            "leftrsasigkey=%cert", "rightrsasigkey=%cert", "rightid=%fromcert"]


def identities(conf):
    """Whom the server expects and what it calls itself; each one matters once it is set."""
    return ['%s="%s"' % (side, conf[key]) for side, key in
            (("rightid", "client_id"), ("leftid", "server_id")) if conf[key]] + \
        (["aggressive=yes"] if conf["aggressive"] else [])


def strongswan(etc, conf):
    lines = ["conn l2tp", "keyexchange=ikev1", "ike=" + profiles.proposals(conf, "ike"),
             "esp=" + profiles.proposals(conf, "esp"), "dpdaction=clear", "dpddelay=30s",
             "keyingtries=1", "auto=add", "type=transport", "left=%any", "leftprotoport=17/1701",
             "right=%any", "rightprotoport=17/" + conf["client_port"]] + \
        life(conf, "lifetime", "margintime") + identities(conf)
    lines += [] if conf["client_id"] else ["rightid=%any"]
    lines += ["sha256_96=yes"] if conf["cut_to_96"] else []
    if conf["life"] == "bytes":
        lines += ["lifebytes=1500000", "marginbytes=300000"]
    lines += certificates(etc, conf["cert"]) if conf["cert"] else ["authby=psk"]
    write(etc + "/ipsec.conf", "config setup\n  uniqueids=never\n\n" + "\n  ".join(lines) + "\n")
    if not conf["cert"]:
        write(etc + "/ipsec.secrets", ": PSK \"%s\"\n" % PSK, 0o600)
    write(etc + "/strongswan.conf", STRONGSWAN % {
        "aggressive": "yes" if conf["aggressive"] else "no",
        "more": MORE_PLUGINS, "levels": "ike = 4\n      chd = 4" if conf["keys"] else ""})


def libreswan(etc, conf):
    lines = ["conn l2tp", "ikev2=no", "ike=" + profiles.proposals(conf, "ike"),
             "esp=" + profiles.proposals(conf, "esp"), "pfs=" + ("yes" if conf["pfs"] else "no"),
             "dpddelay=30", "dpdtimeout=120", "dpdaction=clear", "keyingtries=1", "auto=add",
             "type=transport", "left=" + SERVER, "leftprotoport=17/1701", "right=%any",
             "rightprotoport=17/" + conf["client_port"], "rightsubnet=vhost:%priv,%no"] + \
        life(conf, "salifetime", "rekeymargin") + identities(conf)
    lines += nss_certificates(etc, conf["cert"]) if conf["cert"] else ["authby=secret"]
    lines += ["sha2-truncbug=yes"] if conf["cut_to_96"] else []
    debug = "  plutodebug=\"base,crypt,private\"\n" if conf["keys"] else ""
    write(etc + "/ipsec.conf", "config setup\n  logfile=/mnt/share/pluto.log\n  uniqueids=no\n"
          "  ikev1-policy=accept\n  virtual-private=%v4:10.0.0.0/8,%v4:192.168.0.0/16\n" + debug +
          "\n" + "\n  ".join(lines) + "\n")
    write(etc + "/ipsec.secrets", "%s %%any : PSK \"%s\"\n: PSK \"%s\"\n" % (SERVER, PSK, PSK), 0o600)


def xl2tpd(etc, conf):
    lines = ["[global]", "port = 1701", "access control = no", "debug tunnel = yes",
             "debug state = yes", "debug avp = yes"]
    if conf["l2tp"] == "user":
        lines += ["force userspace = yes"]
    if conf["l2tp_secret"]:
        lines += ["auth file = /etc/xl2tpd/l2tp-secrets"]
    lines += ["[lns default]", "ip range = " + RANGE, "local ip = " + INSIDE, "name = labserver",
              "hostname = labserver", "require authentication = yes", "ppp debug = yes",
              "length bit = yes", "pppoptfile = /etc/ppp/options.lab"]
    if conf["l2tp_secret"]:
        lines += ["challenge = yes"]
    write(etc + "/xl2tpd/xl2tpd.conf", "\n".join(lines) + "\n")
    write(etc + "/xl2tpd/l2tp-secrets", "* * %s\n" % TUNNEL_SECRET, 0o600)


def l2tpns(etc, conf):
    """A server that speaks L2TP and PPP itself, in one process, and asks RADIUS."""
    settings = [("debug", 3), ("log_file", '"/mnt/share/l2tpns.log"'), ("pid_file", '"/run/l2tpns.pid"'),
                ("l2tp_secret", '"%s"' % TUNNEL_SECRET), ("l2tp_mtu", 1400),
                ("primary_dns", INSIDE), ("primary_radius", "127.0.0.1"),
                ("radius_secret", '"radius-secret"'), ("radius_authtypes", '"%s"' % conf["ppp"]),
                ("bind_address", SERVER), ("peer_address", INSIDE), ("cli_bind_address", "127.0.0.1"),
                ("cluster_interface", '"lo"'), ("cluster_hb_timeout", 5)]
    write(etc + "/l2tpns/startup-config", "".join("set %s %s\n" % s for s in settings))
    write(etc + "/l2tpns/ip_pool", "10.99.0.128/26\n")
    write(etc + "/l2tpns/users", "")
    shutil.copy(os.path.join(os.path.dirname(os.path.realpath(__file__)), "guest", "radius.py"), SHARE)


def pppd(etc, conf):
    methods = ("pap", "chap", "mschap", "mschap-v2", "eap")
    lines = ["name labserver", "debug", "logfile /mnt/share/pppd.log", "mtu 1400", "mru 1400",
             "ms-dns " + INSIDE, "lcp-echo-interval 20", "lcp-echo-failure 4", "nodefaultroute",
             "noproxyarp", "connect-delay 100", "require-" + conf["ppp"]]
    lines += ["refuse-" + m for m in methods if m != conf["ppp"]]
    lines += ["require-mppe-128"] if conf["mppe"] else ["noccp"]
    if conf["ipv6cp"]:
        lines += ["+ipv6", "ipv6 ::1,::2"]
    write(etc + "/ppp/options.lab", "\n".join(lines) + "\n", 0o600)
    secrets = "".join('"%s" * "%s" %s\n' % (u, p.replace('"', '\\"'), ip) for u, p, ip in USERS)
    write(etc + "/ppp/chap-secrets", secrets, 0o600)
    write(etc + "/ppp/pap-secrets", secrets, 0o600)


def configure(conf):
    etc = os.path.join(SHARE, "etc")
    is_strongswan = conf["daemon"] == "strongswan"
    (strongswan if is_strongswan else libreswan)(etc, conf)
    xl2tpd(etc, conf)
    pppd(etc, conf)
    if conf["lns"] == "l2tpns":
        l2tpns(etc, conf)
    kernel = "modprobe -q l2tp_ppp"
    if conf["l2tp"] == "user":
        kernel = "mkdir -p /etc/modprobe.d\n" \
                 "echo 'install l2tp_ppp /bin/false' > /etc/modprobe.d/lab.conf"
    lns = START_XL2TPD
    if conf["lns"] == "l2tpns":
        lns = START_L2TPNS.replace("{users}", " ".join(shlex.quote("%s:%s" % u[:2]) for u in USERS))
    start = START
    for name, text in (("inside", INSIDE), ("server", SERVER), ("l2tp", kernel), ("lns", lns),
                       ("ipsec", START_STRONGSWAN if is_strongswan else START_LIBRESWAN)):
        start = start.replace("{%s}" % name, text)
    write(SHARE + "/start.sh", start)
    write(SHARE + "/guest.env", "GUEST_NAME=labserver GUEST_IP=%s GUEST_GW=%s GUEST_MGMT=%s\n"
          % (SERVER, WAN, MANAGE_GUEST))
