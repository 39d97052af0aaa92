{{ staged_scores('compliance_rules') }}
