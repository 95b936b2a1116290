Add-VpnConnection -Name x -ServerAddress a -TunnelType Sstp
