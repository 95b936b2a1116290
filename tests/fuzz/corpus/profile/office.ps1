# A script as administrators hand it out.
$psk = 'Ng7x4t''QzV9'
Add-VpnConnection -Name "Office" -ServerAddress vpn.example.com -TunnelType L2tp `
    -L2tpPsk $psk -AuthenticationMethod Pap,MSChapv2 -EncryptionLevel Required `
    -SplitTunneling -DnsSuffix 'example.com' -Force -PassThru -IdleDisconnectSeconds 60
Set-VpnConnectionIPsecConfiguration -ConnectionName "Office" `
    -AuthenticationTransformConstants SHA196 -CipherTransformConstants AES256 `
    -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 -DHGroup Group2 -PfsGroup None -Force
Add-VpnConnectionRoute -ConnectionName "Office" -DestinationPrefix 10.20.0.0/16
Add-VpnConnection -Name 'Modern' -ServerAddress ike.example.com -TunnelType Ikev2
if ($env:X) { Add-VpnConnection -Name Branch -ServerAddress $env:BRANCH -TunnelType L2tp }
