variable "github_repository" {
  description = "Repository whose workflow may publish, as `owner/name`, spelt as on GitHub: the comparison is case-sensitive."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "The repository must be one `owner/name`, without wildcards, host or `.git` (for example `acme/portfolio`)."
  }
}

variable "github_repository_owner_id" {
  description = "Numeric id of the repository's owner (`gh api repos/OWNER/NAME --jq .owner.id`). The immutable form of the subject carries it."
  type        = string

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.github_repository_owner_id))
    error_message = "The owner id must be the number that `gh api repos/OWNER/NAME --jq .owner.id` prints."
  }
}

variable "github_repository_id" {
  description = "Numeric id of the repository (`gh api repos/OWNER/NAME --jq .id`). The immutable form of the subject carries it."
  type        = string

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.github_repository_id))
    error_message = "The repository id must be the number that `gh api repos/OWNER/NAME --jq .id` prints."
  }
}

variable "branch" {
  description = "Branch whose pushes may publish. Not used when `environment` is set."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch)) && !startswith(var.branch, "refs/")
    error_message = "The branch must be one branch name without wildcards and without `refs/heads/` (for example `main`)."
  }
}

variable "environment" {
  description = "GitHub environment whose jobs may publish. When it is set, GitHub's subject names the environment and no longer the branch: limit the environment to the branch in its deployment rules."
  type        = string
  default     = null

  validation {
    condition     = var.environment == null || can(regex("^[^*?$]+$", var.environment))
    error_message = "The environment must be one name without wildcards; leave it out to publish from a branch."
  }
}

variable "repository_arn" {
  description = "ARN of the one ECR repository that the role may push to."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9][a-z0-9._/-]*$", var.repository_arn))
    error_message = "The repository ARN must name exactly one repository, arn:aws:ecr:REGION:ACCOUNT:repository/NAME, without wildcards."
  }
}

variable "role_name" {
  description = "Name of the publisher role."
  type        = string
  default     = "portfolio-publisher"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "The role name may have 1 to 64 letters, digits and + = , . @ _ - characters."
  }
}

variable "create_oidc_provider" {
  description = "Whether to create the identity provider for GitHub Actions. An account has at most one: set to false if it is there already, and it is looked up."
  type        = bool
  default     = true
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds the role's permissions, where the account asks for one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "The permissions boundary must be the ARN of a managed policy, arn:aws:iam::ACCOUNT:policy/NAME."
  }
}

variable "tags" {
  description = "Tags of the role and of the identity provider."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : length(key) <= 128 && !startswith(lower(key), "aws:")])
    error_message = "A tag key has at most 128 characters and must not begin with `aws:`, which AWS keeps for itself."
  }
}
