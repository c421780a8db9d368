case
    when length(reference) > 200 then null
    -- e-mail, IPv4, IPv6, telephone number
    when regexp_matches(reference, '[^\s@]+@[^\s@]+\.[A-Za-z]{2,}') then null
    when regexp_matches(reference, '\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b') then null
    when regexp_matches(reference, '\b[0-9A-Fa-f]{0,3}[0-9][0-9A-Fa-f]{0,3}:[0-9A-Fa-f:]*:[0-9A-Fa-f]+') then null
    when regexp_matches(reference, '\+(\d[ ()/.-]{0,2}){8,}|(\d[ ()/.-]{0,2}){10,}') then null
    else reference
end
