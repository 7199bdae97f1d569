// What ThroughAnyBrokerTests runs: node any_broker.js MADE_AT WRITTEN_AT READ_AT TOPIC VALUE... Prints the values that it reads, one a line.
'use strict'
const { Kafka, logLevel } = require('kafkajs')

const [madeAt, writtenAt, readAt, topic, ...values] = process.argv.slice(2)
const at = broker => new Kafka({ clientId: 'kafkajs-any-broker', brokers: [broker], logLevel: logLevel.ERROR })

async function main() {
  const admin = at(madeAt).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })
  await admin.disconnect()

  const producer = at(writtenAt).producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value, i) => ({ value, partition: i % 3 })), acks: -1 })
  await producer.disconnect()

  const consumer = at(readAt).consumer({ groupId: topic, sessionTimeout: 6000, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  let left = values.length
  await new Promise((resolve, reject) => {
    consumer.run({
      eachMessage: async ({ message }) => {
        console.log(message.value.toString())
        if (--left === 0) resolve()
      },
    }).catch(reject)
  })
  await consumer.disconnect()
}

main().then(() => process.exit(0), failure => { console.error(failure); process.exit(1) })
