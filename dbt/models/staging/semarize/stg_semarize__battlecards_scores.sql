{{ staged_scores('battlecards') }}
