case
    when not coalesce(is_granted, false) then null
    when lower(gender) in ('female', 'f', 'woman', 'w') then 'female'
    when lower(gender) in ('male', 'm', 'man') then 'male'
    when gender is null or lower(gender) in ('undisclosed', 'prefer not to say', 'unknown', 'na', 'n/a') then 'undisclosed'
    else 'other'
end
