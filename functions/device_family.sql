case
    when platform is null or platform = 'not_applicable' then null
    when regexp_matches(platform, '(?i)cast|chromecast|google home|nest') then 'cast'
    when regexp_matches(platform, '(?i)^web|web_player|chrome|firefox') then 'web'
    when regexp_matches(platform, '(?i)playstation|xbox|ps[345]\b|nintendo|steam') then 'console'
    when regexp_matches(platform, '(?i)tizen|webos|tv|roku|fire.?stick|bravia') then 'tv'
    when regexp_matches(platform, '(?i)sonos|speaker|alexa|echo|amazon|bose|denon|yamaha|heos|libre') then 'speaker'
    when regexp_matches(platform, '(?i)car\b|carplay|android auto|automotive|tesla|volvo') then 'car'
    when regexp_matches(platform, '(?i)watch|garmin|wear') then 'wearable'
    when regexp_matches(platform, '(?i)android') then 'android'
    when regexp_matches(platform, '(?i)\bios|iphone|ipad|ipod') then 'ios'
    when regexp_matches(platform, '(?i)os ?x|mac') then 'mac'
    when regexp_matches(platform, '(?i)windows') then 'windows'
    when regexp_matches(platform, '(?i)linux|ubuntu|debian') then 'linux'
    else 'other'
end
