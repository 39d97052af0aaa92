{{ staged_scores('deal_signals') }}
