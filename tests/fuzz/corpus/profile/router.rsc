# jan/02/2026 10:11:12 by RouterOS 6.49.10
# software id = ABCD-1234
/interface bridge
add name=bridge1
/interface l2tp-client
add add-default-route=yes allow=pap,mschap2 connect-to=vpn.example.com \
    disabled=no dial-on-demand=yes ipsec-secret="Ng7x\"4t\\Qz\$V9" max-mru=1400 max-mtu=1400 name=\
    l2tp-office password="wonder land" use-ipsec=yes user=alice
add connect-to=192.0.2.9 name=second user=bob
/ip ipsec profile
set [ find default=yes ] dh-group=modp2048,modp1024 enc-algorithm=aes-256,3des \
    hash-algorithm=sha1
/ip ipsec proposal
set [ find default=yes ] auth-algorithms=sha256,sha1 enc-algorithms=aes-256-cbc pfs-group=none
/ip route
add distance=1 dst-address=10.20.0.0/16 gateway=l2tp-office
add distance=1 dst-address=10.40.0.0/16 gateway=bridge1
