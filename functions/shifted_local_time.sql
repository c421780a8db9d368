make_timestamp_ms(utc_ms + offset_ms + cast(shift_weeks as bigint) * 604800000)
