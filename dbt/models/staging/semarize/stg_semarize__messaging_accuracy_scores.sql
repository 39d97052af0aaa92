{{ staged_scores('messaging_accuracy') }}
