"""Films for a user, and films like another, by two towers beside what they have to beat."""
