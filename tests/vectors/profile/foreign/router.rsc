# by RouterOS 7.1
/interface bridge
add name=bridge1
/ip address
add address=192.168.88.1/24 interface=bridge1
