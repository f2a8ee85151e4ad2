"""From definitions and canonical tables to results: plan, guard, execute."""
