// Decides the cases of `caisson explain` with an independent simulator: JSON Lines in, one answer a line out.
import { createInterface } from 'node:readline'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'

const DECISIONS = { Allowed: 'allow', ImplicitlyDenied: 'deny_implicit', ExplicitlyDenied: 'deny_explicit' }

const listed = (value) => (value == null ? [] : Array.isArray(value) ? value : [value])
const named = (value, kind) => listed(value).map((policy, index) => ({ name: `${kind}${index}`, policy }))
const levels = (value, kind) =>
  listed(value).map(({ target, policies }) => ({ orgIdentifier: target, policies: named(policies, `${kind}-${target}-`) }))

function simulation(one) {
  const { principal, action, resource, resource_account: accountId, context } = one.request
  return {
    request: {
      principal: principal === 'anonymous' ? anonymousPrincipal : principal,
      action,
      resource: { resource, accountId },
      contextVariables: context ?? {},
    },
    identityPolicies: named(one.identity_policies, 'identity'),
    permissionBoundaryPolicies: one.boundary ? named(one.boundary, 'boundary') : undefined,
    sessionPolicy: one.session_policy ?? undefined,
    vpcEndpointPolicies: one.vpc_endpoint_policies ? named(one.vpc_endpoint_policies, 'endpoint') : undefined,
    resourcePolicy: one.resource_policy ?? undefined,
    serviceControlPolicies: levels(one.scps, 'scp'),
    resourceControlPolicies: levels(one.rcps, 'rcp'),
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const one = JSON.parse(line)
  let answer
  try {
    const found = await runSimulation(simulation(one), {})
    answer =
      found.resultType === 'error'
        ? { error: JSON.stringify(found.errors) }
        : { decision: DECISIONS[found.overallResult], ignored: found.result?.ignoredContextKeys ?? [] }
  } catch (error) {
    answer = { error: `thrown: ${error.message}` }
  }
  console.log(JSON.stringify({ id: one.id, ...answer }))
}
