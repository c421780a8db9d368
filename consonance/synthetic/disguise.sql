-- Other addresses and devices for the same plays; every device stays of its family.
update exported_plays
set
    ip_addr = replace(ip_addr, '198.51.100.', '203.0.113.'),
    platform = case
        when starts_with(platform, 'Android OS') then 'Android OS 12 API 31 ($disguise)'
        when starts_with(platform, 'iOS') then 'iOS 15.1 ($disguise)'
        when starts_with(platform, 'Windows') then 'Windows 11 [$disguise]'
        when starts_with(platform, 'OS X') then 'OS X 12.0 [$disguise]'
        when starts_with(platform, 'web_player') then 'web_player $disguise'
        when starts_with(platform, 'Partner google cast') then 'Partner $disguise cast'
        else platform
    end;
