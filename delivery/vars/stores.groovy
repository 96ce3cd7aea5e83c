/** The data stores of tests; their containers are the platform's templates `store-NAME`. */

List names() {
    return ['postgres', 'redis', 'mysql']
}

/**
 * The addresses of the stores for a test, as environment variables of a container in YAML. Stores listen on the pod's
 * own address, without a password.
 */
@NonCPS
String variables(List chosen) {
    Map all = [
        postgres: 'name: DATABASE_URL, value: "postgresql://postgres@127.0.0.1:5432/postgres"',
        redis: 'name: REDIS_URL, value: "redis://127.0.0.1:6379/0"',
        mysql: 'name: MYSQL_URL, value: "mysql://root@127.0.0.1:3306/test"',
    ]
    return '[' + chosen.collect { "{${all[it]}}" }.join(', ') + ']'
}

/** The pod templates of a test with these stores. */
@NonCPS
String templates(List chosen) {
    return (['test'] + chosen.collect { "store-${it}" }).join(' ')
}
