// What KafkaJsTests runs: node client.js BOOTSTRAP PREFIX. Prints a line for each thing it has verified.
'use strict'
const assert = require('node:assert')
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const LZ4 = require('kafkajs-lz4')
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = new LZ4().codec

const [bootstrap, prefix] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'kafkajs-test', brokers: [bootstrap], logLevel: logLevel.ERROR })
const base = 1_700_000_000_000

function record(i) {
  return {
    key: i % 3 === 0 ? null : `key-${i}`,
    value: [null, '', 'v'.repeat(i * 7)][Math.min(i % 5, 2)],
    headers: { number: `${i}`, empty: '' },
    timestamp: `${base + i}`,
  }
}

async function collect(groupId, topic, count) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const received = []
  await new Promise((resolve, reject) => {
    consumer.run({
      eachMessage: async ({ message }) => {
        received.push(message)
        if (received.length === count) resolve()
      },
    }).catch(reject)
  })
  await consumer.disconnect()
  return received
}

async function roundTrip(admin, name, compression) {
  const topic = `${prefix}-${name}`
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  const producer = kafka.producer({ idempotent: name === 'none', maxInFlightRequests: 1 })
  await producer.connect()
  const sent = Array.from({ length: 100 }, (_, i) => record(i))
  const [answer] = await producer.send({ topic, messages: sent, compression, acks: -1 })
  assert.strictEqual(answer.baseOffset, '0')
  await producer.disconnect()

  const received = await collect(`${prefix}-${name}-group`, topic, sent.length)
  received.forEach((message, i) => {
    assert.strictEqual(message.offset, `${i}`)
    assert.strictEqual(message.key === null ? null : message.key.toString(), sent[i].key)
    assert.strictEqual(message.value === null ? null : message.value.toString(), sent[i].value)
    assert.strictEqual(message.headers.number.toString(), `${i}`)
    assert.strictEqual(message.headers.empty.toString(), '')
    assert.strictEqual(message.timestamp, sent[i].timestamp)
  })
  console.log(`verified codec ${name}: ${received.length} records`)

  const [byTime] = await admin.fetchTopicOffsetsByTimestamp(topic, base + 42)
  assert.strictEqual(byTime.offset, '42')
  console.log(`verified timestamp ${name}`)
}

async function rebalance(admin) {
  const topic = `${prefix}-rebalance`
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
  const members = [0, 1].map(() => kafka.consumer({ groupId: `${prefix}-rebalance-group`, sessionTimeout: 6000, heartbeatInterval: 500 }))
  const assignments = [[], []]
  const received = [new Set(), new Set()]
  await Promise.all(members.map(async (member, m) => {
    member.on(member.events.GROUP_JOIN, event => { assignments[m] = event.payload.memberAssignment[topic] || [] })
    await member.connect()
    await member.subscribe({ topics: [topic], fromBeginning: true })
    await member.run({ eachMessage: async ({ message }) => { received[m].add(message.value.toString()) } })
  }))
  await until(() => assignments.every(partitions => partitions.length === 2))
  assert.deepStrictEqual(assignments.flat().sort(), [0, 1, 2, 3])

  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 40 }, (_, i) => ({ value: `${i}`, partition: i % 4 })) })
  await producer.disconnect()
  await until(() => received[0].size === 20 && received[1].size === 20)
  await members[0].disconnect()
  await until(() => assignments[1].length === 4)
  await members[1].disconnect()
  console.log('verified rebalance')
}

async function until(condition) {
  const deadline = Date.now() + 60_000
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'the condition did not come true in time')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await roundTrip(admin, 'none', CompressionTypes.None)
  await roundTrip(admin, 'gzip', CompressionTypes.GZIP)
  await roundTrip(admin, 'snappy', CompressionTypes.Snappy)
  await roundTrip(admin, 'lz4', CompressionTypes.LZ4)
  await rebalance(admin)
  await admin.deleteTopics({ topics: [`${prefix}-none`] })
  await until(async () => !(await admin.listTopics()).includes(`${prefix}-none`))
  await admin.disconnect()
}

main().then(() => process.exit(0), failure => { console.error(failure); process.exit(1) })
