case
    when length(name) > 100 then null
    when regexp_matches(name, '@|://') then null
    -- IPv4, IPv6, anything with six digits in a row or nearly so
    when regexp_matches(name, '\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b') then null
    when regexp_matches(name, '\b[0-9A-Fa-f]{0,3}[0-9][0-9A-Fa-f]{0,3}:[0-9A-Fa-f:]*:[0-9A-Fa-f]+') then null
    when regexp_matches(name, '(\d[ ()/.-]{0,2}){6,}') then null
    else name
end
