from_tfvars = "from the file"
