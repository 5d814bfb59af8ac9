# Example values: put your own repository, ids and names here.
aws_region                 = "eu-west-1"
github_repository          = "acme/portfolio"
github_repository_owner_id = "1234567"
github_repository_id       = "7654321"
branch                     = "main"
repository_name            = "portfolio/backend"
role_name                  = "portfolio-publisher"

tags = {
  project    = "portfolio"
  managed-by = "terraform"
}
