case
    when country is null then null
    when level = 0 then country
    when level = 1 then region
end
