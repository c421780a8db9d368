case
    when word in (
        'exact', 'offline_corrected', 'unreliable_exit', 'minute_resolution',
        'track', 'episode', 'audiobook', 'unknown'
    )
        then word
end
