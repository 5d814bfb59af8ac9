# Every output here is compared with what Terraform itself makes of it.
variable "names" {
  type    = set(string)
  default = ["b", "a", "b"]
}

variable "settings" {
  type = object({
    name  = string
    size  = optional(number, 3)
    notes = optional(list(string), [])
    extra = optional(string)
  })
  default = { name = "x", size = "4" }
}

variable "flag" {
  type    = bool
  default = "true"
}

variable "from_tfvars" {
  type = string
}

variable "from_auto" {
  type = list(number)
}

variable "not_null" {
  type     = string
  default  = "fallback"
  nullable = false
}

locals {
  # Out of order on purpose.
  sum     = local.two + local.one
  two     = local.one * 2
  one     = 1
  hosts   = { web = { port = 80, tags = ["a", "b"] }, db = { port = 5432, tags = [] } }
  words   = toset(["pear", "apple"])
  nothing = null
}

module "child" {
  source = "./child"
  count  = 2
  prefix = "p${count.index}"
}

module "each" {
  source   = "./child"
  for_each = { blue = "x", green = "y" }
  prefix   = each.value
}

output "arithmetic" {
  value = [1 + 2 * 3, (1 + 2) * 3, 10 / 4, -7 % 3, -local.sum, 7 / 7, "3" + 4, 1.50]
}

output "comparison" {
  value = [1 < 2, 2 <= 2, 3 > 4, "a" == "a", "1" == 1, 1 == 1.0, null == null, "b" != "a", [] == [1]]
}

output "logic" {
  value = [true && false, true || false, !true, "true" && true, var.flag]
}

output "conditional" {
  value = [local.one == 1 ? "one" : "other", false ? "a" : 2, true ? 1 : "x", local.nothing == null ? "none" : local.nothing]
}

output "template" {
  value = "n=${local.one} b=${true} $${kept} %%{kept} q=\" t=\t ${"nested ${local.two}"} é"
}

output "single_interpolation" {
  value = local.hosts
}

output "directives" {
  value = "%{for name, host in local.hosts}${name}:${host.port};%{endfor}%{if local.one == 1}yes%{else}no%{endif}"
}

output "heredoc" {
  value = <<EOT
first ${local.one}
  second \n "kept" $${kept}

last
EOT
}

output "heredoc_indented" {
  value = <<-EOT
    first
      second ${local.two}
    %{for name in ["a", "b"]}[${name}]%{endfor}
  EOT
}

output "heredoc_of_a_blank_line" {
  value = <<EOT

EOT
}

output "heredoc_indented_with_gaps" {
  value = <<-EOT
      deep ${local.one}

    ${local.two} first
   	tab
      "quoted\n" %%{if} $${x}
    EOT
}

output "heredoc_indented_by_interpolation" {
  value = <<-EOT
    ${local.two}
      x
    EOT
}

output "keys" {
  value = { (local.one == 1 ? "computed" : "x") = 1, "${local.two}-b" = 2, "c" = 3, 4 = 4, d : 5 }
}

output "escapes" {
  value = "\u00e9 \\ \" \n \r $ % $$ %% {x}"
}

output "numbers" {
  value = [0.1, 100000000000000, 1e3, 12.50, jsonencode([0.1, 1e3, 2.50]), "${0.25}", "${1.0}"]
}

output "nulls" {
  value = [null == "a", coalesce(null, "x"), { a = null }, [null], merge({ a = 1 }, { a = null })]
}

output "mixed" {
  value = [flatten([toset(["b", "a"]), ["c"]]), concat(["a"], [1]), tolist([true, "a"]), distinct(["a", 1, "1"])]
}

output "formats" {
  value = [format("%5d|%05d|%d", 42, -42, "7"), format("%s %s", 1.5, true), join(",", [1.5, true])]
}

output "ranges" {
  value = [range(0), range(3, 0), range(0, 10, 4), range(-3)]
}

output "heredoc_of_one_value" {
  value = <<EOT
${local.two}
EOT
}

output "for_list" {
  value = [for name in var.names : upper(name) if name != "a"]
}

output "for_index" {
  value = [for index, word in ["x", "y"] : "${index}${word}"]
}

output "for_set_keys" {
  value = [[for key, value in var.names : key], [for key, value in toset(["z"]) : key], [for key, value in local.words : key]]
}

output "for_object" {
  value = { for name, host in local.hosts : upper(name) => host.port }
}

output "for_grouped" {
  value = { for word in ["ant", "ape", "bee"] : local.substr[word] => word... }
}

locals {
  substr = { ant = "a", ape = "a", bee = "b" }
}

output "splat" {
  value = [values(local.hosts)[*].port, local.nothing[*], "x" [*]]
}

output "index" {
  value = [local.hosts["web"].tags[1], local.hosts.web["port"], ["a", "b"][0], ["a", "b"].1]
}

output "try_can" {
  value = [try(local.hosts.mail.port, "none"), can(local.hosts.mail), can(local.hosts.web), try(tonumber("x"), 0), can(["a"][3])]
}

output "functions" {
  value = {
    merge    = merge({ a = 1 }, { b = 2 }, { a = 3 })
    flatten  = flatten([["a"], [["b"]], []])
    expand   = concat([["a"], ["b"]]...)
    compact  = compact(["a", "", "b"])
    distinct = distinct(["b", "a", "b"])
    lookup   = lookup({ a = 1 }, "b", 9)
    format   = format("%s-%03d-%d-%v-%q%%", "a", 7, 12, true, "x\"y")
    json     = jsonencode({ b = [1, 1.5, null, true], a = "<&>", c = { d = "é" } })
    decoded  = jsondecode("{\"a\": [1, 2.0, null]}")
    zipmap   = zipmap(["a", "b"], [1, 2])
    range    = [range(3), range(1, 4), range(10, 0, -5)]
    split    = [split(",", "a,b"), split(",", ""), split("", "ab")]
    trim     = [trimspace(" a "), trimprefix("aab", "a"), trimsuffix("baa", "a")]
    coalesce = coalesce("", null, "c")
    numbers  = [min(3, 1), max(3, 1), abs(-2), tonumber("1.50")]
    strings  = [tostring(1), tostring(true), join("-", ["a", 1]), replace("a.b", ".", "/")]
    sets     = [toset(["b", "a"]), tolist(["a", 1]), sort(["b", "a"]), contains(["a"], "a")]
    one      = [one([]), one(["x"])]
    element  = element(["a", "b"], 3)
    keys     = [keys(local.hosts), length(local.hosts), length("abc"), length([1, 2])]
    strings2 = [startswith("abc", "ab"), endswith("abc", "c"), strcontains("abc", "b"), lower("AB")]
  }
}

output "settings" {
  value = var.settings
}

output "variables" {
  value = [var.from_tfvars, var.from_auto, var.not_null, var.names]
}

output "modules" {
  value = [module.child[0].name, module.child[*].name, module.each["blue"].name, { for key, child in module.each : key => child.name }]
}

output "files" {
  value = {
    text     = file("text.txt")
    of_root  = file("${path.root}/text.txt")
    module   = file("${path.module}/child/../text.txt")
    missing  = try(file("missing.txt"), "default")
    template = templatefile("${path.module}/list.tftpl", { names = ["a", "b"], owner = { name = "c" } })
  }
}
