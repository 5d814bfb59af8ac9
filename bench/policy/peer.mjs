// The same cases through another evaluator of IAM policies, @cloud-copilot/iam-simulate:
// where the two disagree, and how many decisions it makes per second. Each
// disagreement is judged in verdicts.json; one that is not, or a verdict without its
// disagreement, is an error.
//
//     cd bench/policy && npm install --no-package-lock && node peer.mjs
//
// Not comparable are web identities, services and several session policies, which it
// has no requests for; keys that it does not give to the action; and resource control
// policies without RCPFullAWSAccess, which AWS attaches to everything.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runSimulation, anonymousPrincipal } from '@cloud-copilot/iam-simulate'

const root = new URL('../../fixtures/policies', import.meta.url).pathname
const files = readdirSync(root)
  .filter((name) => statSync(join(root, name)).isDirectory())
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((name) => name.endsWith('.json'))
  .sort()

// Keys of other services, under the names of keys of every request that have the same
// type: what is compared is the operator, not the key.
const renamed = { 's3:prefix': 'aws:UserAgent', 's3:delimiter': 'aws:referer', 's3:max-keys': 'aws:MultiFactorAuthAge' }
const inItsWords = (text) => Object.entries(renamed).reduce((text, [ours, its]) => text.replaceAll(ours, its), text)

// What AWS, and our engine, fill in from the caller and from the token.
function filled({ principal, claims, issuer, in_session: inSession }) {
  if (typeof principal === 'string') return {}
  const [[kind, who]] = Object.entries(principal)
  const keys = {
    'aws:PrincipalAccount': who.account,
    'aws:PrincipalArn': who.role_arn ?? who.arn ?? `arn:aws:iam::${who.account}:root`,
    'aws:PrincipalType': { assumed_role: 'AssumedRole', user: 'User', account_root: 'Account' }[kind]
  }
  if (inSession) for (const claim of ['aud', 'sub']) keys[`${issuer}:${claim}`] = claims[claim]
  return keys
}

const named = (list) => (list ?? []).map((policy, index) => ({ name: `p${index}`, policy }))
// Each item is a level of the organisation: one document, or a list of them.
const levels = (list) =>
  (list ?? []).map((level, index) => ({ orgIdentifier: `ou-${index}`, policies: named([].concat(level)) }))

// It adds RCPFullAWSAccess by itself, and takes nothing but Deny of named services.
const allowsAll = ({ Effect, Action, Resource, Principal, Condition }) =>
  Effect === 'Allow' && Action === '*' && Resource === '*' && Principal === '*' && !Condition
function deniesOnly(list) {
  let full = true
  const kept = (list ?? []).map((level) => {
    const policies = [].concat(level)
    full &&= policies.some((policy) => policy.Statement.some(allowsAll))
    return policies
      .map((policy) => ({ ...policy, Statement: policy.Statement.filter((one) => !allowsAll(one)) }))
      .filter((policy) => policy.Statement.length > 0)
      .map((policy) => JSON.parse(JSON.stringify(policy).replaceAll('"Action":"*"', '"Action":"ecr:*"')))
  })
  return full ? levels(kept) : undefined
}

function simulation({ request, policies }) {
  const principal = request?.principal
  if (!principal || policies?.trust || principal.federated || principal.service) return undefined
  const who =
    principal === 'anonymous'
      ? anonymousPrincipal
      : (principal.assumed_role?.session_arn ??
        principal.user?.arn ??
        (principal.account_root && `arn:aws:iam::${principal.account_root.account}:root`))
  const session = [].concat(policies.session ?? [])
  const resourceControlPolicies = deniesOnly(policies.resource_control)
  if (!who || session.length > 1 || !resourceControlPolicies) return undefined
  return {
    request: {
      principal: who,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource_account },
      contextVariables: { ...filled(request), ...request.context }
    },
    identityPolicies: named(policies.identity),
    serviceControlPolicies: levels(policies.service_control),
    resourceControlPolicies,
    resourcePolicy: policies.resource ?? undefined,
    permissionBoundaryPolicies: policies.boundary ? named([].concat(policies.boundary)) : undefined,
    sessionPolicy: session[0]
  }
}

const verdicts = JSON.parse(readFileSync(new URL('verdicts.json', import.meta.url), 'utf8'))
const judged = new Map(verdicts.disagreements.map((verdict) => [verdict.case, verdict]))
const refusals = new Set(verdicts.refused.map((refusal) => refusal.case))
const tally = { agree: 0, ours: 0, 'not documented': 0, refused: 0, 'not comparable': 0 }
const errors = []
const comparable = []
for (const file of files) {
  const name = file.replace(/\.json$/, '')
  const fixture = JSON.parse(inItsWords(readFileSync(join(root, file), 'utf8')))
  const input = simulation(fixture)
  const result = input && (await runSimulation(input, { simulationMode: 'Strict' }))
  if (result && result.resultType !== 'single') {
    tally.refused += 1
    if (!refusals.delete(name)) errors.push(`refused, and not expected: ${name}: ${JSON.stringify(result.errors)}`)
    continue
  }
  if (!result || (result.result ?? result).ignoredContextKeys?.length > 0) {
    tally['not comparable'] += 1
    continue
  }
  comparable.push(input)
  const theirs = { Allowed: 'allowed', ExplicitlyDenied: 'explicitly_denied', ImplicitlyDenied: 'implicitly_denied' }[
    result.overallResult
  ]
  const verdict = judged.get(name)
  judged.delete(name)
  if (theirs === fixture.expected.outcome) {
    tally.agree += 1
    if (verdict) errors.push(`judged, and the two agree: ${name}`)
  } else if (verdict) {
    tally[verdict.right] += 1
    console.log(`${name}: theirs ${theirs}, ours ${fixture.expected.outcome}; ${verdict.right}: ${verdict.why}`)
  } else errors.push(`not judged: ${name}: theirs ${theirs}, ours ${fixture.expected.outcome}`)
}
for (const name of [...judged.keys(), ...refusals]) errors.push(`in verdicts.json, and not met: ${name}`)
console.log(JSON.stringify(tally))

const rounds = 20
const start = process.hrtime.bigint()
for (let round = 0; round < rounds; round++) for (const input of comparable) await runSimulation(input, {})
const seconds = Number(process.hrtime.bigint() - start) / 1e9
console.log(`decisions per second: ${Math.round((rounds * comparable.length) / seconds)}`)

for (const error of errors) console.error(error)
process.exitCode = errors.length > 0 ? 1 : 0
