<?php

/*
 * Runs the client of a GLPI against a hub, without the rest of that GLPI: no database, no web server.
 *
 *     php scripts/glpi-client.php <folder of a GLPI 9.5 to 12> <origin of the hub> <registration key> [plugin]
 *
 * It prints what their code made of each answer, as JSON, and ends with 1 where something stopped it. Nothing of GLPI
 * is in here: its own files are read from the folder; only what they lean on (configuration, session) is played.
 * Guzzle comes from the folder's `vendor`, else from the system (Debian: php-curl, php-guzzlehttp-guzzle).
 */

namespace {
    if ($argc < 4) {
        fwrite(STDERR, "php scripts/glpi-client.php <folder of a GLPI> <origin of the hub> <registration key> [plugin]\n");
        exit(64);
    }
    [, $root, $hub, $key] = $argv;
    $hub = rtrim($hub, '/');

    $line = match (true) {
        is_dir("$root/src/Glpi/Marketplace") => '11',
        is_dir("$root/src/Marketplace") => '10',
        is_dir("$root/inc/marketplace") => '9.5',
        default => exit("No marketplace of a GLPI in $root\n"),
    };
    $version = getenv('GLPI_CLIENT_VERSION') ?: ['11' => '11.0.4', '10' => '10.0.18', '9.5' => '9.5.13'][$line];

    $vendors = array_filter(
        ["$root/vendor/autoload.php", '/usr/share/php/GuzzleHttp/autoload.php'],
        fn(string $path): bool => is_file($path),
    );
    require $vendors === [] ? exit("No Guzzle: neither in $root/vendor nor on this system\n") : reset($vendors);

    define('GLPI_ROOT', $root);
    define('GLPI_VERSION', $version);
    define('GLPI_INSTALL_MODE', 'TARBALL');
    define('GLPI_USER_AGENT_EXTRA_COMMENTS', '');
    define('GLPI_NETWORK_SERVICES', $hub);
    define('GLPI_NETWORK_API_URL', "$hub/api");
    define('GLPI_NETWORK_REGISTRATION_API_URL', "$hub/api/registration/");
    define('GLPI_MARKETPLACE_PLUGINS_API_URI', $hub . ($line === '9.5' ? '/api/glpi-plugins/' : '/api/marketplace/'));
    define('GLPI_MARKETPLACE_PRERELEASES', false);
    define('HOUR_TIMESTAMP', 3600);
    define('ERROR', 2);

    $CFG_GLPI = [
        'version' => $version,
        'glpinetwork_registration_key' => $key,
        'languages' => ['en_GB' => ['English', 'en_GB.mo', 'en-GB'], 'fr_FR' => ['Français', 'fr_FR.mo', 'fr']],
    ];
    $_SESSION = ['glpilanguage' => getenv('GLPI_CLIENT_LANGUAGE') ?: 'en_GB', 'glpi_use_mode' => 0];

    /** As a PSR-16 cache: what was kept, and for how long nobody asks here. */
    $GLPI_CACHE = new class {
        private array $kept = [];
        public function get($key, $default = null) { return $this->kept[$key] ?? $default; }
        public function set($key, $value, $ttl = null) { $this->kept[$key] = $value; return true; }
        public function has($key) { return isset($this->kept[$key]); }
    };
    $PHPLOGGER = new class {
        public function __call($level, $said) { fwrite(STDERR, "$level: {$said[0]}\n"); }
    };

    function __($text) { return $text; }

    class CommonGLPI {}
    class Plugin { public $fields = []; }
    class GLPIKey { public function decrypt($sealed) { return $sealed; } }
    class Session {
        public const DEBUG_MODE = 2;
        public static function start() {}
        public static function addMessageAfterRedirect($message) { fwrite(STDERR, "$message\n"); }
    }
    class Config {
        /** Forty letters and digits, the same for the same folder: as one installation has one. */
        public static function getUuid($type) { return substr(hash('sha256', $type . GLPI_ROOT), 0, 40); }
    }

    spl_autoload_register(function (string $class) use ($root): void {
        $path = str_replace('\\', '/', $class);
        $old = strtolower(preg_replace('~^Glpi/~', '', $path));
        $places = ["src/$path.php", 'src/' . preg_replace('~^Glpi/~', '', $path) . '.php', "inc/$old.class.php"];
        foreach ($places as $place)
            if (is_file("$root/$place")) { require "$root/$place"; return; }
    });
}

namespace Safe {
    // What a GLPI without its `vendor` would miss of thecodingmachine/safe.
    if (!function_exists('Safe\json_decode')) {
        function json_decode($json, $assoc = false) { return \json_decode($json, $assoc, 512, JSON_THROW_ON_ERROR); }
        function json_encode($value) { return \json_encode($value, JSON_THROW_ON_ERROR); }
        function preg_match($pattern, $subject, &$matches = null) { return \preg_match($pattern, $subject, $matches); }
        function preg_replace($pattern, $by, $subject) { return \preg_replace($pattern, $by, $subject); }
        function session_write_close(): void { \session_write_close(); }
    }
}

namespace {
    set_error_handler(function (int $level, string $message) use (&$complaints): bool {
        if (($level & (E_DEPRECATED | E_USER_DEPRECATED)) === 0) $complaints[] = $message;
        return true;
    });
    $complaints = [];

    $curl = null;
    $seen = [
        'client' => GLPINetwork::getGlpiUserAgent(),
        'available' => GLPINetwork::isServicesAvailable($curl),
        'registration' => GLPINetwork::getRegistrationInformations(true),
        'offers' => GLPINetwork::getOffers(),
    ];

    $api = Glpi\Marketplace\Controller::getAPI();
    $all = $api->getAllPlugins(true);
    $tags = $api->getTopTags();
    $wanted = $argv[4] ?? null;
    $described = fn(string $key, array $plugin): array => [
        'name' => $plugin['name'],
        'version' => $plugin['version'] ?? null,
        'address' => $plugin['installation_url'] ?? null,
        'available' => (new Glpi\Marketplace\Controller($key))->isAvailable(),
        'downloadable' => (new Glpi\Marketplace\Controller($key))->canBeDownloaded(),
        'higher offer needed' => (new Glpi\Marketplace\Controller($key))->requiresHigherOffer(),
        'offers that would do' => (new Glpi\Marketplace\Controller($key))->getRequiredOffers(),
        'update of 0.0.1' => (function () use ($key) {
            $plugin = new Plugin();
            $plugin->fields = ['version' => '0.0.1'];
            return (new Glpi\Marketplace\Controller($key))->checkUpdate($plugin);
        })(),
    ];
    $keys = fn(array $plugins): array => array_column($plugins, 'key');
    $sorted = [];
    foreach (['alpha-asc', 'alpha-desc', 'dl', 'update', 'added', 'note'] as $sort)
        $sorted[$sort] = $keys($api->getAllPlugins(false, '', '', "sort-$sort"));
    $tag = $tags[0]['key'] ?? '';
    $seen += [
        'plugins' => array_map($described, array_keys($all), $all),
        'first page of two' => $keys($api->getPaginatedPlugins(false, '', '', 1, 2)),
        'second page of two' => $keys($api->getPaginatedPlugins(false, '', '', 2, 2)),
        'sorted' => $sorted,
        'found by a word' => $keys($api->getAllPlugins(false, '', strtoupper(substr($sorted['alpha-asc'][0] ?? '-', 0, 4)))),
        'tags' => $tags,
        'under the first tag' => $tag === '' ? [] : $keys($api->getAllPlugins(false, $tag)),
        'truncated' => method_exists($api, 'isListTruncated') && $api->isListTruncated(),
    ];
    if ($line === '9.5')
        foreach (['Trending', 'Popular', 'New', 'Updated'] as $list)
            $seen["list: $list"] = $keys($api->{"get{$list}Plugins"}());

    if ($wanted !== null) {
        $plugin = $api->getPlugin($wanted);
        $address = $plugin['installation_url'] ?? '';
        $file = sys_get_temp_dir() . '/' . basename((string) parse_url($address, PHP_URL_PATH));
        $fetched = $address !== '' && $api->downloadArchive($address, $file, $wanted);
        $seen['download'] = [
            'as' => basename($file),
            'fetched' => $fetched,
            'bytes' => $fetched ? filesize($file) : 0,
            'sha256' => $fetched ? hash_file('sha256', $file) : null,
            // GLPI opens an archive by the end of its name, and takes what it finds on the top for the plugin.
            'top folders' => $fetched ? topFolders($file) : [],
        ];
        if ($fetched) $api->incrementPluginDownload($wanted, $plugin['version']);
    }
    $seen['complaints'] = $complaints;

    echo json_encode($seen, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
    exit($complaints === [] ? 0 : 1);

    function topFolders(string $file): array
    {
        try {
            $names = [];
            foreach (new PharData($file) as $entry) $names[] = $entry->getFilename();
            return $names;
        } catch (Throwable $error) {
            return [$error->getMessage()];
        }
    }
}
