{{ staged_scores('commercial_accuracy') }}
