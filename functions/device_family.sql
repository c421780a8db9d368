case
    when platform is null then null
    -- Since 2022-10 the export has one word, before that the name of the system and its version.
    when platform in ('android', 'ios', 'windows', 'cast', 'linux') then platform
    when platform in ('osx', 'macos') or starts_with(platform, 'OS X') or starts_with(platform, 'macOS') then 'mac'
    when starts_with(platform, 'Android OS') then 'android'
    when starts_with(platform, 'iOS') then 'ios'
    when starts_with(platform, 'Windows') then 'windows'
    when starts_with(platform, 'Linux') then 'linux'
    when regexp_matches(platform, '(?i)cast|google home|nest') then 'cast'
    -- Exports name the web player until 2022-10 only, and say not_applicable since then only: apart, the two would show
    -- where that month lies on the shifted times.
    when regexp_matches(platform, '(?i)^web|chrome|firefox') then 'other'
    when regexp_matches(platform, '(?i)playstation|xbox|\bps[345]\b|nintendo|steam') then 'console'
    when regexp_matches(platform, '(?i)tizen|webos|tv|roku|fireos|fire.?stick|bravia') then 'tv'
    when regexp_matches(platform, '(?i)sonos|speaker|alexa|echo|amazon|bose|denon|yamaha|heos|libre') then 'speaker'
    when regexp_matches(platform, '(?i)\bcar\b|carplay|android auto|automotive|tesla|volvo') then 'car'
    when regexp_matches(platform, '(?i)watch|garmin|wear') then 'wearable'
    when regexp_matches(platform, '(?i)android') then 'android'
    when regexp_matches(platform, '(?i)\bios\b|iphone|ipad|ipod') then 'ios'
    when regexp_matches(platform, '(?i)os ?x|mac') then 'mac'
    when regexp_matches(platform, '(?i)windows') then 'windows'
    when regexp_matches(platform, '(?i)linux|ubuntu|debian') then 'linux'
    else 'other'
end
